/** Whom a commit concerns. */
import type { SettleAnswer, SettleOperation, StoreAnswer, StoreOperation } from './operations.ts'
import type { WakeTopic } from './store.ts'

/** The topics to wake when these operations were answered so. */
export function topicsOf(
  operations: readonly StoreOperation[],
  answers: readonly StoreAnswer[],
): ReadonlySet<WakeTopic> {
  const topics = new Set<WakeTopic>()
  for (const [index, operation] of operations.entries()) {
    if (answers[index]?.type !== 'failed')
      addTopics(topics, operation, answers[index] as StoreAnswer, answers)
  }
  return topics
}

function addTopics(
  topics: Set<WakeTopic>,
  operation: StoreOperation,
  said: StoreAnswer,
  answers: readonly StoreAnswer[],
): void {
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
      if (said.type === 'settle' && (said.answer.joined || leavesWork(operation, said.answer.items, answers)))
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

/** Not what was claimed in the same commit, as the next step of a chain is by whoever has ended the one before. */
function leavesWork(
  { settlements }: SettleOperation,
  items: readonly SettleAnswer[],
  answers: readonly StoreAnswer[],
): boolean {
  const waiting = new Set<string | undefined>()
  for (const [index, item] of items.entries()) {
    if (item.kind !== 'settled') continue
    if (item.state === 'forked') return true
    if (item.state === 'pending') waiting.add(settlements[index]?.id)
  }
  if (waiting.size === 0) return false
  for (const said of answers) {
    if (said.type === 'claim') for (const { id } of said.answer.tasks) waiting.delete(id)
  }
  return waiting.size > 0
}
