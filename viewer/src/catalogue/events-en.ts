/** What events say, in English: `event.KIND`, in words that may use the event's parameters. */
export const eventsEn: { readonly [code: string]: string } = {
  // The cluster
  'event.core.start': 'The core starts (session {session}, empty disk: {blank:term})',
  'event.link.up': 'Link {link} to {peer:node} is up',
  'event.link.down':
    'Link {link} to {peer:node} is down ({reason:term}): last heard {silent:span} before',
  'event.peer.up': '{peer:node} is there',
  'event.peer.suspect':
    'No link to {peer:node} works: suspect; it was last heard {silent:span} before',
  'event.peer.life': '{peer:node} lives anew (host started anew: {rebooted:term})',
  'event.log.formed': 'The cluster is formed by {voters} voters',
  'event.log.campaign': 'Stands for election in term {term}',
  'event.log.leader': 'Is leader of term {term}',
  'event.log.resigned': 'Resigns as leader of term {term}: {reason:term}',
  'event.log.following': 'Follows {leader:node} in term {term}',
  'event.log.snapshot': 'Takes over a snapshot up to entry {index}',
  'event.voter.blank': 'Votes with an empty disk: it must be admitted anew',
  'event.voter.readmitted': 'Voter {voter:node} is admitted anew',
  'event.boot.known': '{peer:node} is known in its new life',
  'event.lease.held': 'Holds its lease',
  'event.lease.lapsed': 'The lease has run out',
  'event.lease.attested': 'Attests that the lease of {peer:node} has run out',
  'event.lease.settled': 'The lease of {peer:node} is settled',
  'event.group.start': 'Decides: {group} starts on {to:node}, epoch {epoch}',
  'event.group.takeover':
    'Decides: {to:node} takes {group} over from {from:node}, epoch {epoch}; proof: {proof:term}',
  'event.group.handover': 'Decides: {group} goes from {from:node} to {to:node}, epoch {epoch}',
  'event.group.readopt': 'Decides: {owner:node} goes on with {group}, epoch {epoch}',
  'event.group.stop': 'Decides: {owner:node} stops {group} ({reason:term}), then {target:node}',
  'event.group.stopped': '{group} is stopped on {owner:node}',
  'event.group.release': 'Decides: {owner:node} gives {group} up, epoch {epoch}',
  'event.group.online': 'Decides: {group} is online on {owner:node}, epoch {epoch}',
  'event.group.blocked': '{group} is blocked: {reason:term}. Remedy: {remedy:term}',
  'event.group.ready': 'Decides: {group} is whole on {owner:node}, epoch {epoch}',
  'event.group.owner': '{group} belongs to {owner:node}, epoch {epoch}: {phase:term}',
  'event.group.stable': '{group} has been well on {owner:node} for long enough',
  'event.volume.propose':
    'Proposes for {volume}: epoch {epoch}, primary {primary:node}, in sync {members:nodes} ' +
    '({reason:term})',
  'event.volume.discard':
    '{volume}: what {node:node} has (generation {generation:short}) is given up, and ' +
    'generation {keeps:short} kept: {reason:term} (order {order}, by {by:term})',
  'event.volume.discard.confirmed':
    '{volume}: looked at again, with {dirty} dirty blocks on {node:node}: it may be overwritten ' +
    '(order {order})',
  'event.volume.discard.off':
    '{volume}: what {node:node} has (generation {generation:short}) is not given up after all: ' +
    '{reason:term} (order {order})',
  'event.volume.record':
    '{volume}: epoch {epoch}, primary {primary:node}, in sync {members:nodes} (generation ' +
    '{generation:short})',
  'event.application.start': 'Starts the application of {group}, epoch {epoch}',
  'event.application.stop': 'Stops the application of {group}, epoch {epoch}: {reason:term}',
  'event.application.state': 'The application of {group} is {state:term}, epoch {epoch}',
  'event.data.size': 'Clients of {volume} are shown {bytes:bytes} here from now on',
  'event.data.active': '{volume} may be used here, epoch {epoch}',
  'event.data.stopped': '{volume} is given up here, everything flushed, epoch {epoch}',
  'event.data.want': '{volume} wants the in-sync set {members:nodes}, epoch {epoch}: {reason:term}',
  'event.data.refused': '{volume} refuses {peer:node}: {reason:term}',
  'event.data.path':
    'The path to the disk of {volume} is lost: the core starts anew, to see whether it is back',
  'event.data.attached': '{volume} is attached: {disk:term}, epoch {epoch}',
  'event.config.changed':
    'The configuration changes (version {version}): {change:term} of {volume} on {node:node}',
  'event.config.begun': 'Version {version} of the configuration may be taken into use ({volume})',
  'event.config.done': 'Version {version} of the configuration is in use ({volume})',
  'event.config.withdrawn': 'Version {version} of the configuration is taken back ({volume})',
  'event.config.taken': 'Version {version} of the configuration is written down for the next core',
  'event.config.restart': 'The core starts anew, by version {version} of the configuration',
  'event.operator.command': 'An operator commands: {command:term} {group} {to:node}',
  'event.operator.answer': 'Answer to {command:term}: done: {ok:term} {reason:term}',
  'event.canary.alone': 'Planted bug: {group} is taken without proof, epoch {epoch}',

  // The mirror
  'event.mirror.attach':
    'The replica is attached: {disk:term}, generation {generation:short}, epoch {epoch} ' +
    '(writes may have been in flight: {hot:term}, host started anew: {rebooted:term})',
  'event.mirror.attach.failed': 'The replica cannot be used: {reason:term}',
  'event.mirror.role': 'Role: {role:term} (epoch {epoch})',
  'event.mirror.disk': 'Disk: {disk:term}',
  'event.mirror.disk.failing':
    'Disk is likely to fail: {reason:term}; {moved} of {spares} spare blocks used. Replace it',
  'event.mirror.disk.failed': 'The disk failed ({what:term})',
  'event.mirror.link': 'Replication link {link} is {state:term}',
  'event.mirror.link.drop': 'Gives replication link {link} up: {reason:term}',
  'event.mirror.link.sync':
    'Both replicas are equal: from now on writes go to both (link {link}, epoch {epoch})',
  'event.mirror.link.follow': 'Follows the primary over link {link}, epoch {epoch}',
  'event.mirror.link.refused': 'Refuses to replicate with {peer:node}: {reason:term}',
  'event.mirror.handshake': 'Handshake: {verdict:term}, because {reason:term} (epoch {epoch})',
  'event.mirror.branch':
    'The replicas of {volume} went on apart: generation {mine:short} here, {theirs:short} there, ' +
    'in step last in {shared:short} ({verdict:term})',
  'event.mirror.peer.refused': 'The peer refused a write (status {status})',
  'event.mirror.receipt.lost':
    'The core before this one had acknowledged writes on receipt: this copy may lack some',
  'event.mirror.record':
    'Applies the record of epoch {epoch}: primary {primary:node}, in sync {members:nodes}, ' +
    'generation {generation:short}',
  'event.mirror.record.refused': 'Must not be primary of epoch {epoch}: {reason:term}',
  'event.mirror.want': 'Wants the in-sync set {members:nodes}, epoch {epoch}: {reason:term}',
  'event.mirror.active': 'Serves as primary of epoch {epoch} ({hot} hot extents)',
  'event.mirror.proxy':
    'Its disk failed: serves epoch {epoch} through the replicas of {members:nodes}',
  'event.mirror.proxy.end': 'Serves through no other replica any more: {reason:term}',
  'event.mirror.fenced': 'Is fenced by epoch {epoch}, with {open} requests in flight',
  'event.mirror.demote': 'Gives up the primary role of epoch {epoch}',
  'event.mirror.stopped': 'Has stopped, everything acknowledged is flushed (epoch {epoch})',
  'event.mirror.read.peer':
    'The own disk cannot read {length} bytes at {offset}: the other replica serves them',
  'event.mirror.read.lost':
    '{length} bytes at {offset} have no good copy in reach: the request fails, nothing else does',
  'event.mirror.spill.on': 'What waits to be sent to {peer:node} has a spill file',
  'event.mirror.spill.off':
    'What waits to be sent to {peer:node} has no spill file, only memory: {reason}',
  'event.mirror.sums.mismatch':
    'Block {block} is not what was written there: the disk has changed it without a word',
  'event.mirror.sums.lost':
    'Block {block} contradicts its checksum, and no other copy is known to be right: it is lost',
  'event.mirror.sums.page-lost':
    'Page {page} of the checksums cannot be used: nothing is known of its blocks until they are ' +
    'written or compared',
  'event.mirror.repair.done':
    'Block {block} was written again from the other replica, and read back well',
  'event.mirror.repair.failed': 'Block {block} stays bad: {what:term}',
  'event.verify.scheduled': 'The replicas of {volume} are due to be compared ({level:term})',
  'event.verify.continue':
    'Goes on comparing the replicas of {volume} at block {cursor}, where it was interrupted',
  'event.mirror.verify.start':
    'Begins to compare the replicas ({level:term}), at block {from} (what differs is repaired: ' +
    '{repair:term})',
  'event.mirror.verify.differs': 'Block {block} differs between the replicas',
  'event.mirror.verify.repaired': 'Block {block} is written anew on the other replica',
  'event.mirror.verify.disagrees': 'The metadata of the replicas disagree: {what:term}',
  'event.mirror.verify.unreadable': 'Block {block} cannot be compared: {who:term}',
  'event.mirror.quiesce': 'A quiesce point is wanted: no more requests are admitted',
  'event.mirror.quiesced': 'Quiet: the disks of {members:nodes} have the image of this moment',
  'event.mirror.quiesce.end': 'The quiesce point is over: {reason:term}',
  'event.mirror.verify.end':
    'The comparison ends ({state:term}): {checked} blocks looked at, {differing} differed, ' +
    '{repaired} repaired, {unreadable} unreadable',
  'event.mirror.block.moved': 'Moves the bad block {block} to the spare area: {why:term}',
  'event.mirror.block.rewritten': 'A client has written the bad block {block} anew',
  'event.mirror.resync.unreadable':
    'Block {block} cannot be read and is the only copy: the resync goes on, and waits for it',
  'event.mirror.resync.start':
    'Resync to {target:node} begins: {dirty:count} dirty blocks, epoch {epoch}',
  'event.mirror.resync.progress':
    'Resync: {copied:bytes} copied, {zeroed:bytes} zeroed, {dirty:count} blocks to go',
  'event.mirror.resync.interrupted':
    'Resync interrupted: {copied:bytes} copied, {zeroed:bytes} zeroed, {dirty:count} blocks to go',
  'event.mirror.resync.end': 'Resync done: {copied:bytes} copied, {zeroed:bytes} zeroed',
  'event.mirror.resync.compared':
    'Of {compared:bytes} that this resync compared first, {equal:bytes} were equal and not sent',
  'event.mirror.target.start':
    'Is resync target, epoch {epoch}; its data is of generation {generation:short} until the end',
  'event.mirror.target.end': 'Is resynced and has generation {generation:short}',
  'event.mirror.point': 'Is the image of what its primary had written up to write {sequence}',
  'event.mirror.branch.kept':
    'The branch of {generation:short}, given up for {keeps:short}, is kept in the side area',
  'event.mirror.branch.damaged':
    'Some of the branch of generation {generation:short} that is kept here can no longer be read',
  'event.mirror.branch.holds':
    'A resync waits until the branch of generation {generation:short} that is kept here is dropped',
  'event.mirror.branch.drop': 'The branch of generation {generation:short} is to be dropped',
  'event.mirror.branch.drop-refused':
    'There is no branch of generation {generation:short} to be dropped',
  'event.mirror.branch.dropped': 'The branch of generation {generation:short} is kept no more',
  'event.mirror.undo.start':
    'What the resync overwrites is kept: the image of generation {generation:short}, epoch {epoch}',
  'event.mirror.undo.found': 'An unfinished resync has a way back: {blocks:count} blocks are kept',
  'event.mirror.undo.held': 'The resync waits rather than lose the way back: {reason:term}',
  'event.mirror.undo.lost': 'There is no way back from this resync any more: {reason:term}',
  'event.mirror.return.start':
    'The image of generation {generation:short} is being put back: {blocks:count} blocks',
  'event.mirror.return.refused': 'Nothing is put back: {reason:term}',
  'event.mirror.return.failed': 'The image cannot be put back: {reason:term}',
  'event.mirror.return.end':
    'The image of generation {generation:short} is back; the replica is Outdated',

  // What a real host's monitor saw
  'event.host.core-ended': 'The core process ended (exit code {exit}, signal {signal:term})',
  'event.host.core-lost': 'The core process that this monitor had found running is gone',
  'event.host.core-silent': 'The core said nothing for {ms} ms and was ended',
  'event.host.core-exhausted': 'The core ended too often: the next start waits',
  'event.host.monitor-started': 'The monitor starts',
  'event.host.stopping': 'Somebody told this host to stop',
  'event.host.stopped': 'This host stopped in good order',
  'event.host.refused': 'The core refused its configuration or its replica: a person is needed',

  // The simulated world
  'event.fault.cut': 'Fault: links cut ({links:term}, {ways:term}, to {peer:peer})',
  'event.fault.clog': 'Fault: links clogged ({links:term}, {ways:term}, to {peer:peer})',
  'event.fault.loss':
    'Fault: links lose {ppm} of a million messages ({links:term}, {ways:term}, to {peer:peer})',
  'event.fault.power-off': 'Fault: the host loses power',
  'event.fault.reboot': 'Fault: the host is reset',
  'event.fault.power-off-hosts': 'Fault: both hosts lose power',
  'event.fault.power-off-all': 'Fault: the whole site loses power',
  'event.fault.kill-core': 'Fault: the core is killed',
  'event.fault.kill-monitor': 'Fault: the monitor is killed',
  'event.fault.pause-core': 'Fault: the core is paused',
  'event.fault.freeze': 'Fault: the whole guest is frozen',
  'event.fault.clock-rate': 'Fault: the clock runs wrong by {ppm} ppm',
  'event.fault.read-error': 'Fault: the disk cannot read some of its sectors (for once: {ppm} ppm)',
  'event.fault.lose-folder': 'Fault: the folder of a running host is lost, and its core dies',
  'event.fault.wipe': 'Fault: the host comes back with an empty disk',
  'event.fault.quiesce': 'Fault: an operator holds a quiesce point',
  'event.fault.return': 'Fault: an operator puts back what a resync overwrote',
  'event.fault.verify': 'Fault: an operator has the replicas compared',
  'event.fault.switch': 'Fault: an operator orders a switchover',
  'event.fault.lying-flush': 'Fault: the disk answers flushes that it does not carry out',
  'event.fault.lost-write': 'Fault: the disk acknowledges writes that it loses ({area:term})',
  'event.fault.misdirected-write': 'Fault: writes land in another place of the disk ({area:term})',
  'event.fault.stale-read': 'Fault: the disk returns what blocks held before',
  'event.fault.path-loss': 'Fault: the path to the disk is lost',
  'event.fault.write-error': 'Fault: writes on the disk fail ({area:term})',
  'event.fault.disk-stall': 'Fault: the disk stalls: nothing ends',
  'event.fault.bit-rot': 'Fault: the disk rots ({area:term})',
  'event.fault.old-disk':
    'Fault: the host loses power, and its disk will be as it was {age} µs before',
  'event.fault.new-disk': 'Fault: the host loses power, and comes back with an empty disk',
  'event.fault.resolve': 'Fault: an operator orders that the data here be kept',
  'event.fault.take-over': 'Fault: an operator accepts a loss, and has this host lead',
  'event.fault.add-replica': 'Fault: an operator gives this host a replica',
  'event.fault.remove-replica': 'Fault: an operator removes the replica here',
  'event.fault.grow-volume': 'Fault: an operator makes the first volume larger',
  'event.fault.replace-replica': 'Fault: an operator has the replica here filled on another disk',
  'event.fault.take-back': 'Fault: an operator takes an order back',
  'event.fault.over': 'The fault is over ({kind:term})',
  'event.fault.healed': 'All faults are over',
  'event.world.core-started': 'A core lives anew',
  'event.world.core-died': 'The core died',
  'event.world.power-lost': 'Power is gone (I/O in flight: {ioInFlight:term})',
  'event.world.receipt-lost': 'The core took with it writes that it had acknowledged on receipt',
  'event.world.disk-failed': 'The disk fails; what was in its cache: {cache:term}',
  'event.world.application-starting': 'The application begins to start',
  'event.world.application-running': 'The application runs',
  'event.world.application-stopping': 'The application begins to stop',
  'event.world.application-stopped': 'The application is stopped',
  'event.world.mended': 'A person looks after a failed replica: restart, or another disk',
  'event.watchdog.reset': 'The watchdog resets the host',
  'event.violation': '{law} is broken: {code:term} ({law:term})',
  'event.detected': 'Found, allowed under these faults: {law}: {code:term} ({law:term})',
};
