import { defineTask } from '../../src/task.ts'

export interface Mail {
  to: string
  text: string
}

export const sendMail = defineTask(
  {
    name: 'mail.send',
    module: import.meta.url,
    description: ({ to }: Mail) => `mail to ${to}`,
    metadata: ({ to }) => ({ to }),
  },
  async ({ to, text }: Mail, ctx) => {
    ctx.progress(50, 'connected')
    return { to, characters: text.length }
  },
)
