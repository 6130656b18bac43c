/** In the place of what nobody tells of a queue alone. */
export function Elsewhere() {
  return (
    <p class="panel muted elsewhere">
      Events, rates and times are told where tasks run: by a daemon with an inspector of its own (
      <code>stateward daemon start --inspect</code>).
    </p>
  )
}
