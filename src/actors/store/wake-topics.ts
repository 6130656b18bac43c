/** Whom a commit concerns. */
import type { StoreAnswer, StoreOperation } from './operations.ts'
import type { WakeTopic } from './store.ts'

/** The topics to wake when these operations were answered so. */
export function topicsOf(
  operations: readonly StoreOperation[],
  answers: readonly StoreAnswer[],
): ReadonlySet<WakeTopic> {
  const topics = new Set<WakeTopic>()
  for (const [index, operation] of operations.entries()) {
    if (answers[index]?.type !== 'failed') addTopics(topics, operation, answers[index] as StoreAnswer)
  }
  return topics
}

function addTopics(topics: Set<WakeTopic>, operation: StoreOperation, said: StoreAnswer): void {
  switch (operation.type) {
    case 'enqueue':
    case 'schedule':
    case 'unschedule':
    case 'tell':
      topics.add('work')
      return
    case 'claim':
      if (said.type === 'claim' && said.answer.tasks.length > 0) topics.add('news')
      return
    case 'settle':
      topics.add('news')
      // Another daemon may have room for what waits again.
      if (said.type === 'settle' && (said.answer.joined || said.answer.items.some(waitsAgain)))
        topics.add('work')
      return
    case 'reclaim':
      if (said.type !== 'reclaim' || said.answer.tasks.length === 0) return
      topics.add('work').add('news')
      return
    case 'overdue':
      // A parent may be due, or the next run of a schedule.
      if (said.type === 'overdue' && said.answer.tasks.length > 0) topics.add('work').add('news')
      return
    case 'cancel':
    case 'retry':
    case 'move':
    case 'remove':
    case 'occur':
      topics.add('work').add('news')
      return
    case 'progress':
      topics.add('news')
      return
    default:
  }
}

function waitsAgain(item: { readonly kind: string; readonly state?: string }): boolean {
  return item.kind === 'settled' && (item.state === 'pending' || item.state === 'forked')
}
