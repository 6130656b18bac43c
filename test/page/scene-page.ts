/** The page on the scene. */

import type { PageOptions, Pages } from './page-kit.ts'
import { answerScene, sceneFrames } from './scene.ts'
import { ScriptedFeed } from './scripted-feed.ts'

/** @param hash - with `#`: view, actor, token */
export async function openScene(pages: Pages, hash = '', options: PageOptions = {}): Promise<ScriptedFeed> {
  const feed = await ScriptedFeed.open(pages, { answers: answerScene, hash, options })
  for (const frame of sceneFrames()) feed.frame(frame)
  return feed
}
