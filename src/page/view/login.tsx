/** Asks for the token where nothing may be seen without it. */
import { usePage } from './context.ts'

export function Login() {
  const { session } = usePage()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    void session.logIn(String(form.get('token')).trim())
  }
  return (
    <main class="login" id="main">
      <form class="panel" onSubmit={submit}>
        <h2>This inspector needs a token</h2>
        <p class="muted">It was printed with the address when the inspector was started.</p>
        <label>
          Token
          <input name="token" type="password" autocomplete="off" required />
        </label>
        <button type="submit" class="button" data-primary>
          Open
        </button>
      </form>
    </main>
  )
}
