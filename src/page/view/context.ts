/** What every component may reach: the session with its server, and what the user has chosen. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Session } from '../feed/session.ts'
import type { Ui } from './ui.ts'

export interface Page {
  readonly session: Session
  readonly ui: Ui
}

export const PageContext = createContext<Page | undefined>(undefined)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (page === undefined) throw new Error('A component of the page is used outside of it.')
  return page
}
