/** The actor that is selected: what it is, its statechart with the state it is in, and what it took last. */
import { useRef } from 'preact/hooks'
import type { ActorRow } from '../../runtime/inspector/messages.ts'
import { clockTime, duration, relative, shortId } from '../model/format.ts'
import { Badge } from './badge.tsx'
import { ChartPanel } from './chart-panel.tsx'
import { usePage } from './context.ts'
import { EventList } from './event-list.tsx'
import { KindIcon } from './kind-icon.tsx'
import { useNow } from './now.ts'
import { Progress } from './progress.tsx'
import { TaskFacts } from './task-facts.tsx'
import { WorkerActs } from './worker-acts.tsx'

export function ActorDetail() {
  const { session, ui } = usePage()
  session.actors.value
  const id = ui.selected.value
  const last = useRef<ActorRow | undefined>(undefined)
  const actor = id === undefined ? undefined : session.picture.actors.get(id)
  if (actor !== undefined) last.current = actor
  const shown = last.current?.id === id ? last.current : undefined
  if (shown === undefined) {
    return (
      <div class="panel detail empty">
        <p class="muted">
          {id === undefined
            ? 'Select an actor to see its statechart, its state and what it takes.'
            : 'This actor is not there any more.'}
        </p>
      </div>
    )
  }
  return (
    <div class="panel detail">
      <Title actor={shown} ended={actor === undefined} />
      {shown.kind === 'task' ? <TaskFacts actor={shown} ended={actor === undefined} /> : null}
      {shown.kind === 'worker' || shown.kind === 'supervisor' ? <WorkerActs actor={shown} /> : null}
      <ChartPanel actor={shown} />
      {session.picture.isQueueAlone ? null : (
        <>
          <h3>Its last events</h3>
          <EventList of={shown.id} />
        </>
      )}
    </div>
  )
}

function Title({ actor, ended }: { actor: ActorRow; ended: boolean }) {
  const { session, ui } = usePage()
  const now = useNow()
  const parent = actor.parent === null ? undefined : session.picture.actors.get(actor.parent)
  return (
    <header class="detail-title">
      <h2>
        <KindIcon kind={actor.kind} />
        {actor.name}
        {ended ? <Badge state="ended" /> : <Badge state={actor.state} />}
      </h2>
      <p class="muted">
        {actor.kind}
        {parent === undefined ? null : (
          <>
            {' of '}
            <button
              type="button"
              class="link"
              onClick={() => {
                ui.selected.value = parent.id
              }}
            >
              {parent.name}
            </button>
          </>
        )}
        {actor.within === undefined || actor.kind === 'supervisor' ? null : ` in ${actor.within}`}
        {actor.startedAt === null ? null : ` · started ${relative(actor.startedAt, now)}`}
        {actor.task === undefined ? null : ` · ${shortId(actor.task.runId)}`}
      </p>
      {actor.task === undefined ? null : (
        <Progress percent={actor.task.percent} note={actor.task.note} name={actor.name} />
      )}
      {actor.event === null ? null : (
        <p class="last-event">
          <span class="muted">{actor.eventAt === null ? 'last' : `${clockTime(actor.eventAt)} `}</span>
          <code>{actor.event}</code>
          <span class="muted">
            {actor.from === null || actor.from === actor.state
              ? ' took it and stayed'
              : ` ${actor.from} → ${actor.state}`}
            {actor.eventAt === null ? '' : `, ${duration(now - actor.eventAt)} ago`}
          </span>
        </p>
      )}
    </header>
  )
}
