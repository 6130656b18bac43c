import { defineTask } from '../../src/task.ts'

export const greet = defineTask({ name: 'greet', module: import.meta.url }, (name: string) => `hello ${name}`)
