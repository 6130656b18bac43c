/** One pool: the slots taken against its size and reserves, and what waits in each band. */
import type { Band, PoolRow } from '../../runtime/inspector/messages.ts'
import { count, placed } from '../model/format.ts'
import { Within } from './within.tsx'

const BANDS: readonly Band[] = ['critical', 'high', 'normal', 'low']

export function PoolView({ pool }: { pool: PoolRow }) {
  const { name, within, size, reserveNormal, reserveHigh, admitted, queued } = pool
  const room = size + reserveNormal + reserveHigh
  const waiting = BANDS.reduce((sum, band) => sum + queued[band], 0)
  // There may be many nested supervisors, most of them at rest.
  const isQuiet = within !== undefined && admitted === 0 && waiting === 0
  return (
    <section class="panel pool" aria-label={`Pool ${placed(name, within)}`}>
      <h2>
        <span>
          <Within path={within} />
          {name === 'tasks' ? 'Pool' : `Pool ${name}`}
        </span>
        <span class="number">
          {count(admitted)}
          <span class="muted"> / {size === 0 ? '∞' : count(size)}</span>
          {reserveNormal + reserveHigh > 0 ? (
            <span class="muted">
              {' '}
              +{reserveNormal} +{reserveHigh}
            </span>
          ) : null}
        </span>
      </h2>
      <Slots pool={pool} room={Math.max(room, admitted, 1)} />
      {isQuiet ? null : <Bands pool={pool} />}
      {waiting === 0 ? null : <p class="unseen">{waiting} tasks wait.</p>}
    </section>
  )
}

function Bands({ pool: { queued, running } }: { pool: PoolRow }) {
  const most = Math.max(1, ...BANDS.map((band) => queued[band]))
  return (
    <table class="bands">
      <thead>
        <tr>
          <th scope="col">Band</th>
          <th scope="col" class="end">
            Runs
          </th>
          <th scope="col" class="end">
            Waits
          </th>
          <th scope="col">
            <span class="unseen">Length of its queue</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {BANDS.map((band) => (
          <tr key={band}>
            <th scope="row">
              <span class="swatch" data-band={band} />
              {band}
            </th>
            <td class="number end">{count(running[band])}</td>
            <td class="number end">{count(queued[band])}</td>
            <td class="bar-cell">
              <span class="bar" data-band={band} style={{ width: `${(queued[band] / most) * 100}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Who holds them, from left to right; the reserves are thresholds, marked above. */
function Slots({ pool, room }: { pool: PoolRow; room: number }) {
  const { size, reserveNormal, reserveHigh, running, admitted } = pool
  const part = (slots: number): string => `${(slots / room) * 100}%`
  const limited = size > 0
  const parts: readonly (readonly [string, number])[] = [
    ['low and above', size],
    ['normal and above', reserveNormal],
    ['high and above', reserveHigh],
  ]
  return (
    <div
      class="slots"
      role="img"
      aria-label={`${admitted} slots taken of ${limited ? size : 'any number'}, reserves ${reserveNormal} and ${reserveHigh}`}
    >
      <div class="slots-room">
        {limited
          ? parts.map(([name, slots], index) =>
              slots === 0 ? null : (
                <span
                  key={name}
                  data-part={index}
                  title={`${slots} for ${name}`}
                  style={{ width: part(slots) }}
                />
              ),
            )
          : null}
      </div>
      <div class="slots-taken">
        {BANDS.map((band) => (
          <span key={band} data-band={band} style={{ width: part(running[band]) }} />
        ))}
      </div>
    </div>
  )
}
