/** How far a task is, as far as it says so. */
export function Progress({
  percent,
  note,
  name,
}: {
  percent: number | null
  note: string | null
  name: string
}) {
  if (percent === null) return note === null ? null : <span class="muted">{note}</span>
  const shown = Math.round(percent)
  return (
    <span class="progress">
      <progress value={percent} max={100} aria-label={`Progress of ${name}`}>
        {shown} %
      </progress>
      <span class="number">{shown} %</span>
      {note === null ? null : <span class="muted note">{note}</span>}
    </span>
  )
}
