/**
 * Planted bugs of the cluster engine. Each switches one guard off; a campaign that does not find
 * one has a blind oracle. The switches are read once, so that a sound engine pays for booleans.
 */

/** Every planted bug of this engine: a stable id and what it breaks. */
export const CLUSTER_CANARIES = [
  {
    id: 'RULE-01',
    what: 'a node that no longer hears the owner takes its volumes without asking the log',
  },
  {
    id: 'RULE-06',
    what: 'a member that lost power is promoted while the other member may be alive',
  },
  {
    id: 'RULE-09',
    what: 'a member that lost power is promoted rather than the one that did not',
  },
  {
    id: 'attest-early-after-restart',
    what: 'a restarted voter attests at once, though it has forgotten its promises',
  },
  {
    id: 'attest-keeps-renewing',
    what: 'a voter that attested still acknowledges renewals of that node',
  },
  { id: 'attest-not-persisted', what: 'an attestation is forgotten by a restart of its voter' },
  { id: 'holder-from-receipt', what: 'a lease runs from the receipt of the acknowledgement' },
  { id: 'deaf-renewed', what: 'a voter renews the lease of a node that it knows not to hear it' },
  {
    id: 'overstay-petted',
    what: 'a watchdog is petted while what runs here is another node’s by the log',
  },
  {
    id: 'want-without-lease',
    what: 'a primary has others left out though its lease has run out',
  },
  { id: 'single-attestation', what: 'one attestation is taken for a majority' },
  { id: 'lease-epoch-ignored', what: 'a voter renews a node that has not learnt its settlement' },
  { id: 'lease-never-checked', what: 'applications and data go on when the lease has lapsed' },
  { id: 'vote-not-persisted', what: 'a voter forgets by a restart for whom it voted' },
  { id: 'stale-leader-commits', what: 'a leader commits without a majority' },
  { id: 'blank-voter-votes', what: 'a voter that lost its disk votes and counts at once' },
  { id: 'start-before-stop', what: 'a suspected owner is replaced without a proof of stop' },
  {
    id: 'boot-rule-skipped',
    what: 'a restarted node acts on what its disk says it owned, without asking the log',
  },
  {
    id: 'outdated-promoted',
    what: 'a replica outside the committed in-sync set is promoted',
  },
  { id: 'RULE-22', what: 'a taker of several does not count the last generation as a parent' },
  { id: 'generation-kept', what: 'the generation is not renewed when the in-sync set shrinks' },
  { id: 'ready-for-good', what: 'a host that could follow is not asked again before it has to' },
  { id: 'epoch-not-raised', what: 'a take-over keeps the epoch of the record it replaces' },
  {
    id: 'attached-by-state',
    what: 'a replica that has read nothing yet is taken for one that outlived its control',
  },
  { id: 'blank-core-clean', what: 'a core that lost its store says that it runs nothing' },
  { id: 'clean-while-running', what: 'a node calls a group stopped while its application runs' },
  { id: 'guardian-never-armed', what: 'the guardian is never told to guard anything' },
  {
    id: 'any-word-answers',
    what: 'what is said of an earlier epoch is taken for the answer to a start, which is repeated',
  },
  {
    id: 'failure-forgotten',
    what: 'a core that restarts no longer knows that a disk of this boot has failed',
  },
  { id: 'path-given-up', what: 'a replica whose path was lost is not tried again' },
  {
    id: 'path-hammered',
    what: 'a lost path is looked at every few seconds, however often it was in vain',
  },
  {
    id: 'path-over-clients',
    what: 'a core starts anew for a lost path while its host serves or copies another volume',
  },
  {
    id: 'lacking-like-power',
    what: 'a replica whose core died with receipts counts for no more than one that lost power',
  },
  { id: 'quiesce-trusted', what: 'a quiesce point that ended early passes for one that stood' },
  { id: 'command-repeated', what: 'a command that took effect is judged again by the next leader' },
  { id: 'split-guessed', what: 'a number that nobody knows decides whose branch is given up' },
  { id: 'split-by-order', what: 'whose branch is given up depends on who is asked' },
  { id: 'split-half-kept', what: 'an image is given up for one that is half copied' },
  {
    id: 'order-voided',
    what: 'a generation that began by order counts as void, and as an ancestor',
  },
  { id: 'take-back-any', what: 'taking an order back ends whatever order stands by then' },
  {
    id: 'any-taker',
    what: 'by accepted loss any replica may lead, not only the one that is named',
  },
  {
    id: 'doubted-taken',
    what: 'loss is accepted for what a replica shows, though its disk failed',
  },
  { id: 'half-copy-taken', what: 'loss is accepted for a replica that is half copied to' },
  {
    id: 'late-refusal',
    what: 'a late refusal takes a voter back behind what its disk is known to have',
  },
  {
    id: 'taken-again',
    what: 'who took over by accepted loss may lead after a later loss of power, too',
  },
  { id: 'taken-from-members', what: 'loss is accepted though somebody in sync is there' },
  { id: 'policy-repeats', what: 'a policy gives again an order that a person took back' },
  { id: 'order-unchecked', what: 'an order is carried out whatever was written until the stop' },
  { id: 'kept-unjudged', what: 'a host is to lead by an order although what was kept is gone' },
  {
    id: 'others-unready',
    what: 'a change is taken into use while another host of the volume could not follow',
  },
  {
    id: 'leaver-counted',
    what: 'a node takes a change into use while a replica that is to go still counts',
  },
  {
    id: 'removed-admitted',
    what: 'a replica that was removed, or is to be empty, is admitted all the same',
  },
  {
    id: 'last-copy-removed',
    what: 'a replica is removed or emptied although nobody else has everything',
  },
  {
    id: 'copy-unseen',
    what: 'a replica is admitted whose disk was changed since it was copied to',
  },
  { id: 'size-untold', what: 'data actors are not told that their volume has grown' },
  { id: 'second-change', what: 'a change is agreed on while another one is not in use yet' },
  {
    id: 'begun-unconfirmed',
    what: 'a replica is given up though nobody has shown that others have everything, stable',
  },
  {
    id: 'unlaid-forgotten',
    what: 'what a replica is laid out for that was not opened is taken to be what its core went by',
  },
  {
    id: 'unopened-counted',
    what: 'a node counts as having a change in use before its replica is open under it',
  },
  {
    id: 'failed-counted',
    what: 'a replica that failed as it was opened counts as laid out for the change',
  },
  {
    id: 'led-by-own-file',
    what: 'who leads the log decides by the configuration that it has in use itself',
  },
  {
    id: 'lost-disk-awaited',
    what: 'a node that lost its disk and what it knew waits for that disk, whatever is agreed on',
  },
  {
    id: 'branch-of-new',
    what: 'a policy weighs what is on a disk that a person has put in to be filled',
  },
  {
    id: 'other-disk-counts',
    what: 'a member is whatever disk its host has open',
  },
  {
    id: 'other-disk-leads',
    what: 'a node leads with the disk that it had before another one was agreed on',
  },
] as const;

/** Id of a planted bug of this engine. */
export type CanaryId = (typeof CLUSTER_CANARIES)[number]['id'];

/** The switches, by id. */
export type Flags = { readonly [id in CanaryId]: boolean };

/** Reads the set once. Written out: an object that is filled name by name becomes a hash table. */
export function flagsOf(canaries: ReadonlySet<string>): Flags {
  const has = (id: CanaryId): boolean => canaries.has(id);
  return {
    'RULE-01': has('RULE-01'),
    'RULE-06': has('RULE-06'),
    'RULE-09': has('RULE-09'),
    'attest-early-after-restart': has('attest-early-after-restart'),
    'attest-keeps-renewing': has('attest-keeps-renewing'),
    'attest-not-persisted': has('attest-not-persisted'),
    'holder-from-receipt': has('holder-from-receipt'),
    'deaf-renewed': has('deaf-renewed'),
    'overstay-petted': has('overstay-petted'),
    'want-without-lease': has('want-without-lease'),
    'single-attestation': has('single-attestation'),
    'lease-epoch-ignored': has('lease-epoch-ignored'),
    'lease-never-checked': has('lease-never-checked'),
    'vote-not-persisted': has('vote-not-persisted'),
    'stale-leader-commits': has('stale-leader-commits'),
    'blank-voter-votes': has('blank-voter-votes'),
    'start-before-stop': has('start-before-stop'),
    'boot-rule-skipped': has('boot-rule-skipped'),
    'outdated-promoted': has('outdated-promoted'),
    'RULE-22': has('RULE-22'),
    'generation-kept': has('generation-kept'),
    'ready-for-good': has('ready-for-good'),
    'epoch-not-raised': has('epoch-not-raised'),
    'attached-by-state': has('attached-by-state'),
    'blank-core-clean': has('blank-core-clean'),
    'clean-while-running': has('clean-while-running'),
    'guardian-never-armed': has('guardian-never-armed'),
    'any-word-answers': has('any-word-answers'),
    'failure-forgotten': has('failure-forgotten'),
    'path-given-up': has('path-given-up'),
    'path-hammered': has('path-hammered'),
    'path-over-clients': has('path-over-clients'),
    'lacking-like-power': has('lacking-like-power'),
    'quiesce-trusted': has('quiesce-trusted'),
    'command-repeated': has('command-repeated'),
    'split-guessed': has('split-guessed'),
    'split-by-order': has('split-by-order'),
    'split-half-kept': has('split-half-kept'),
    'order-voided': has('order-voided'),
    'take-back-any': has('take-back-any'),
    'any-taker': has('any-taker'),
    'doubted-taken': has('doubted-taken'),
    'half-copy-taken': has('half-copy-taken'),
    'late-refusal': has('late-refusal'),
    'taken-again': has('taken-again'),
    'taken-from-members': has('taken-from-members'),
    'policy-repeats': has('policy-repeats'),
    'order-unchecked': has('order-unchecked'),
    'kept-unjudged': has('kept-unjudged'),
    'others-unready': has('others-unready'),
    'leaver-counted': has('leaver-counted'),
    'removed-admitted': has('removed-admitted'),
    'last-copy-removed': has('last-copy-removed'),
    'copy-unseen': has('copy-unseen'),
    'second-change': has('second-change'),
    'size-untold': has('size-untold'),
    'begun-unconfirmed': has('begun-unconfirmed'),
    'unlaid-forgotten': has('unlaid-forgotten'),
    'unopened-counted': has('unopened-counted'),
    'failed-counted': has('failed-counted'),
    'led-by-own-file': has('led-by-own-file'),
    'lost-disk-awaited': has('lost-disk-awaited'),
    'branch-of-new': has('branch-of-new'),
    'other-disk-counts': has('other-disk-counts'),
    'other-disk-leads': has('other-disk-leads'),
  };
}
