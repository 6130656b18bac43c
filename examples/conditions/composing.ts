import { after, all, any, daily, not, retry, running } from '../../src/index.ts'
import { conditionText } from '../../src/machines/index.ts'
import { download, load } from './tasks.ts'

const office = daily({ between: ['08:00', '18:00'], timezone: 'Europe/Berlin' })
const quiet = not(running(load, { moreThan: 2 }))

export const whole = any(all(office, quiet, after(download)), retry(3))
console.log(conditionText(quiet)) // → not(running(load: at least 3))
console.log(whole.conditions[1]) // → { kind: 'retry', times: 3 }
