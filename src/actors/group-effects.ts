/** What a group of children does for each action its machine asks for. */
import type {
  ChildEnded,
  ChildGroupEvent,
  ChildGroupFact,
  childGroupMachine,
} from '../machines/child-group.ts'
import type { ChildGroup } from './child-group.ts'
import type { DriverEffects } from './machine-driver.ts'
import type { SupervisedChild } from './supervised-child.ts'

const childOf = (event: ChildGroupEvent): SupervisedChild => (event as ChildEnded<SupervisedChild>).child

export const GROUP_EFFECTS: DriverEffects<ChildGroup, typeof childGroupMachine> = {
  listStarts: (group) => group.listStarts(),
  listAffected: (group, _, event) => group.listAffected(event),
  listHeld: (group) => group.listHeld(),
  listStops: (group) => group.listStops(),
  restUnstarted: (group) => group.restUnstarted(),
  removeAll: (group) => group.removeAll(),
  startNext: (group) => group.startNext(),
  stopNext: (group) => group.stopNext(),
  holdNext: (group) => group.holdNext(),
  hurryAll: (group) => group.endAll('child.hurry'),
  killAll: (group) => group.endAll('child.kill'),
  followChild: (group, _, event) => group.follow(childOf(event)),
  leaveChild: (group, _, event) => group.leave(childOf(event)),
  giveUpChild: (group, _, event) => group.giveUp(childOf(event), (event as ChildEnded).exit),
  holdChild: (group, _, event) => group.hold(childOf(event), (event as ChildEnded).exit),
  armBackoff: (group) => group.armBackoff(),
  disarmBackoff: (group) => group.disarmBackoff(),
  forwardEnd: (group, _, event) => group.actorEnded(event as never),
  announce: (group, { fact }: { fact: ChildGroupFact }) => group.tell(fact),
}
