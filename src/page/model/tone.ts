/** The colour of a state: it only repeats what the word says. */
export type Tone = 'running' | 'waiting' | 'later' | 'good' | 'bad' | 'ended' | 'stopping' | 'calm'

/** By the first word of a state that matches. */
const TONES: readonly (readonly [RegExp, Tone])[] = [
  [/stopping|draining|signalled|terminat|killing|probing|closing/, 'stopping'],
  [/fail|crash|broken|lost|blocked/, 'bad'],
  [/finished|done|succeeded/, 'good'],
  [/running|executing|busy|starting|working/, 'running'],
  [/queued|paused|held/, 'waiting'],
  [/scheduled|snoozed|retrying|backoff|backingOff/, 'later'],
  [/cancelled|stopped|ended|closed/, 'ended'],
]

export function toneOf(state: string): Tone {
  return TONES.find(([pattern]) => pattern.test(state))?.[1] ?? 'calm'
}
