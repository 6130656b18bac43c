import { createMachine } from 'xstate'
import { machineJson, taskMachine } from '../../src/machines/index.ts'

const json = machineJson(taskMachine)
console.log(json.initial, json.states?.queued?.on?.['task.admit']?.[0]?.target) // → created #task.running
// It is what createMachine takes, and Stately's editor with it.
console.log(createMachine(json as never).id) // → task
