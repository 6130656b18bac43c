/** What may be told to a worker or to the supervisor, for those who may act. */
import { useEffect, useState } from 'preact/hooks'
import type { ActorRow, WorkerAct, WorkerRow } from '../../runtime/inspector/messages.ts'
import { count, placed, placeOf, relative } from '../model/format.ts'
import { ActButton } from './act-button.tsx'
import { usePage } from './context.ts'
import { useNow } from './now.ts'
import { Fact } from './task-facts.tsx'

export function WorkerActs({ actor }: { actor: ActorRow }) {
  return actor.kind === 'supervisor' ? <SupervisorActs actor={actor} /> : <Worker actor={actor} />
}

const SAID: Readonly<Record<WorkerAct, string>> = {
  trigger: 'is triggered',
  pause: 'is paused',
  resume: 'goes on',
}

export function WorkerButtons({ row }: { row: Pick<WorkerRow, 'name' | 'within' | 'acts'> }) {
  const { session } = usePage()
  const { name, acts } = row
  const place = placeOf(row)
  return (
    <span class="acts">
      {acts.map((act) => (
        <ActButton
          key={act}
          label={`${act} ${placed(name, row.within)}`}
          onClick={() =>
            void session.act({ type: 'act', act, worker: name, ...place }, `${name} ${SAID[act]}.`)
          }
        >
          {act}
        </ActButton>
      ))}
    </span>
  )
}

function Worker({ actor }: { actor: ActorRow }) {
  const { session } = usePage()
  const now = useNow()
  const [rows, setRows] = useState<readonly WorkerRow[]>([])
  const open = session.state.value.name === 'open'
  // Asked again with each event that it takes.
  useEffect(() => {
    if (!open) return
    const ask = (): Promise<void> =>
      session.ask<readonly WorkerRow[]>({ type: 'ask', ask: 'workers' }).then(setRows, () => {})
    void ask()
    return session.standing(ask)
  }, [actor.id, actor.eventAt, open, session])
  const row = rows.find(({ id }) => id === actor.id)
  if (row === undefined) return null
  return (
    <>
      <dl class="facts">
        <Fact name="kind" value={row.kind} />
        <Fact name="when" value={row.when} />
        <Fact name="runs" value={count(row.runs)} />
        <Fact name="failures" value={count(row.failures)} />
        <Fact name="skipped" value={count(row.skipped)} />
        {row.nextAt === null ? null : <Fact name="next" value={relative(row.nextAt, now)} />}
      </dl>
      <WorkerButtons row={row} />
    </>
  )
}

function SupervisorActs({ actor }: { actor: ActorRow }) {
  const { session } = usePage()
  const hold = (act: 'hold' | 'release', done: string) => () =>
    void session.act({ type: 'act', act, ...placeOf(actor) }, done)
  return (
    <div class="acts">
      <ActButton onClick={hold('hold', 'Nothing is admitted any more.')}>Hold admission</ActButton>
      <ActButton onClick={hold('release', 'Tasks are admitted again.')}>Release</ActButton>
    </div>
  )
}
