import { all, chain, defineTask, next } from '../../src/task.ts'

const module = import.meta.url

export const resize = defineTask({ name: 'album.resize', module, execution: 'thread' }, (photo: string) => {
  if (photo.endsWith('.txt')) throw new Error(`${photo} is no photo`)
  return `${photo} at 800 px`
})
export const page = defineTask({ name: 'album.page', module }, (photos: string[]) => photos.join(', '))
export const publish = defineTask({ name: 'album.publish', module }, (title: string) => `${title} is online`)

/** Goes on with tasks that it makes: a photo each, then the page of them. */
export const album = defineTask({ name: 'album', module }, (photos: string[]) =>
  next(
    chain([
      all(
        photos.map((photo) => resize.call(photo)),
        page,
      ),
      publish.call('album'),
    ]),
  ),
)

interface Count {
  readonly folders: readonly string[][]
  readonly photos: number
}

/** One step for each folder. What is done is in its input, so that it is stored. */
export const count = defineTask(
  { name: 'album.count', module, percent: ({ folders }: Count) => (1 - folders.length / 3) * 100 },
  ({ folders: [first, ...rest], photos }: Count): unknown =>
    first === undefined ? photos : next(count.call({ folders: rest, photos: photos + first.length })),
)
