/** Asks for the token: where nothing may be seen without it, and where the user wants to do more than look. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import { usePage } from './context.ts'

export function Login() {
  const { session, ui } = usePage()
  const locked = session.locked.value
  const field = useRef<HTMLInputElement>(null)
  // With the form, not after it was painted: what is typed in between would be lost.
  useLayoutEffect(() => field.current?.focus(), [])
  const goOn = (): void => {
    ui.unlocking.value = false
  }
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    await session.logIn(String(form.get('token')).trim())
    if (session.access.value === 'act') ui.unlocking.value = false
  }
  return (
    <main class="login" id="main">
      <form
        class="panel"
        onSubmit={(event) => void submit(event)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') goOn()
        }}
      >
        <h2>{locked ? 'This inspector needs a token' : 'To act, and to see inputs and results'}</h2>
        <p class="muted">
          {locked ? 'It' : 'The token'} was printed with the address when the inspector was started, or chosen
          by whoever started it.
        </p>
        <label>
          Token
          <input ref={field} name="token" type="password" autocomplete="off" required />
        </label>
        <button type="submit" class="button" data-primary>
          {locked ? 'Open' : 'Unlock'}
        </button>
        {locked ? null : (
          <button type="button" class="button" onClick={goOn}>
            Go on looking
          </button>
        )}
      </form>
    </main>
  )
}
