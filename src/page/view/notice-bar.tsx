/** What came of what the user did: goes by itself when it is good news. */
import { useEffect } from 'preact/hooks'
import { usePage } from './context.ts'

const SHOWN_MS = 4_000

export function NoticeBar() {
  const { session } = usePage()
  const notice = session.notice.value
  useEffect(() => {
    if (notice?.kind !== 'done') return
    const timer = setTimeout(() => {
      session.notice.value = undefined
    }, SHOWN_MS)
    return () => clearTimeout(timer)
  }, [notice, session])
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice === undefined ? null : (
        <div class="notice" data-kind={notice.kind}>
          {notice.text}
          <button
            type="button"
            class="icon-button"
            aria-label="Dismiss"
            onClick={() => {
              session.notice.value = undefined
            }}
          >
            ×
          </button>
        </div>
      )}
    </div>
  )
}
