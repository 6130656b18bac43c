/**
 * The token that lets the page act. It comes with the address as `#token=…`, which no server is ever sent, and is taken out of
 * it, so that it stays in no history and on no screenshot. It is kept for this tab alone.
 */
const KEY = 'stateward.token'

export function takeToken(): string | undefined {
  const hash = new URLSearchParams(location.hash.slice(1))
  const given = hash.get('token')
  if (given !== null) {
    sessionStorage.setItem(KEY, given)
    hash.delete('token')
    const rest = hash.toString()
    history.replaceState(null, '', location.pathname + location.search + (rest === '' ? '' : `#${rest}`))
  }
  return sessionStorage.getItem(KEY) ?? undefined
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token)
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY)
}
