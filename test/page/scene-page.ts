/** The page on the scene. */

import type { PageOptions, Pages } from './page-kit.ts'
import { answerScene, sceneFrames } from './scene.ts'
import { ScriptedFeed } from './scripted-feed.ts'

/** @param hash - with `#`: view, actor, token */
export async function openScene(pages: Pages, hash = '', options: PageOptions = {}): Promise<ScriptedFeed> {
  const page = await pages.open(options)
  const feed = await ScriptedFeed.open(page, { answers: answerScene, hash })
  for (const frame of sceneFrames()) feed.frame(frame)
  return feed
}
