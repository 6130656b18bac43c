/** The page: everything begins here. */
import 'uplot/dist/uPlot.min.css'
import './style/page.css'
import { render } from 'preact'
import { Session } from './feed/session.ts'
import { mendLanguage } from './language.ts'
import { App } from './view/app.tsx'
import { PageContext } from './view/context.ts'
import { Ui } from './view/ui.ts'

mendLanguage()

const feed = new URL('./feed', location.href)
feed.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
feed.hash = ''

// The session first: it takes the token out of the address before anything else looks at it.
const session = new Session(feed.href)
const ui = new Ui()
session.connect()

// A laptop that wakes up, a tab that is looked at again: no reason to wait any longer.
for (const type of ['online', 'focus', 'pageshow']) addEventListener(type, () => session.connect())

render(
  <PageContext.Provider value={{ session, ui }}>
    <App />
  </PageContext.Provider>,
  document.getElementById('page') as HTMLElement,
)
