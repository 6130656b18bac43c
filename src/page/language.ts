/**
 * Some browsers call their language by a name that their own `Intl` refuses (`en-US@posix`, `C`: what the system calls it). A
 * library that formats by it throws then, uPlot as it is loaded.
 */

/** Calls it English if its name cannot be read. */
export function mendLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language)
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
  }
}
