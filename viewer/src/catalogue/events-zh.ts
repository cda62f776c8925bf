/** 事件的文字。代码为 event. 加事件类型，只能使用该事件的参数。 */
export const eventsZh: { readonly [code: string]: string } = {
  // 集群
  'event.core.start': '核心启动（第 {session} 次，磁盘为空：{blank:term}）',
  'event.link.up': '到 {peer:node} 的链路 {link} 恢复',
  'event.link.down':
    '到 {peer:node} 的链路 {link} 中断（{reason:term}）：最后一次收到是在 {silent:span} 前',
  'event.peer.up': '{peer:node} 在线',
  'event.peer.suspect': '到 {peer:node} 的链路全部不通：可疑；最后一次收到是在 {silent:span} 前',
  'event.peer.life': '{peer:node} 重新开始（主机重新启动：{rebooted:term}）',
  'event.log.formed': '集群由 {voters} 个投票者组成',
  'event.log.campaign': '在第 {term} 任期参选',
  'event.log.leader': '成为第 {term} 任期的领导者',
  'event.log.resigned': '辞去第 {term} 任期的领导者：{reason:term}',
  'event.log.following': '在第 {term} 任期跟随 {leader:node}',
  'event.log.snapshot': '接收快照，直到第 {index} 条',
  'event.voter.blank': '以空磁盘投票：须重新接纳',
  'event.voter.readmitted': '重新接纳投票者 {voter:node}',
  'event.boot.known': '已得知 {peer:node} 重新启动',
  'event.lease.held': '持有租约',
  'event.lease.lapsed': '租约已到期',
  'event.lease.attested': '证明 {peer:node} 的租约已到期',
  'event.lease.settled': '{peer:node} 的租约已了结',
  'event.group.start': '决定：{group} 在 {to:node} 上启动，纪元 {epoch}',
  'event.group.takeover':
    '决定：{to:node} 从 {from:node} 接管 {group}，纪元 {epoch}；停止的证明：{proof:term}',
  'event.group.handover': '决定：{group} 从 {from:node} 移到 {to:node}，纪元 {epoch}',
  'event.group.readopt': '决定：{owner:node} 继续运行 {group}，纪元 {epoch}',
  'event.group.stop': '决定：{owner:node} 停止 {group}（{reason:term}），然后到 {target:node}',
  'event.group.stopped': '{group} 已在 {owner:node} 上停止',
  'event.group.release': '决定：{owner:node} 放弃 {group}，纪元 {epoch}',
  'event.group.online': '决定：{group} 在 {owner:node} 上联机，纪元 {epoch}',
  'event.group.blocked': '{group} 受阻：{reason:term}。办法：{remedy:term}',
  'event.group.ready': '决定：{group} 在 {owner:node} 上已就绪，纪元 {epoch}',
  'event.group.owner': '{group} 属于 {owner:node}，纪元 {epoch}：{phase:term}',
  'event.group.stable': '{group} 在 {owner:node} 上已足够久地正常运行',
  'event.volume.propose':
    '为 {volume} 提议：纪元 {epoch}，主用 {primary:node}，同步集合 {members:nodes}（{reason:term}）',
  'event.volume.discard':
    '{volume}：放弃 {node:node} 的数据（数据版本 {generation:short}），保留数据版本 {keeps:short}：' +
    '{reason:term}（指令 {order}，来自{by:term}）',
  'event.volume.discard.confirmed':
    '{volume}：已再次核对，{node:node} 上有 {dirty} 个脏块：可以覆盖（指令 {order}）',
  'event.volume.discard.off':
    '{volume}：不再放弃 {node:node} 的数据（数据版本 {generation:short}）：' +
    '{reason:term}（指令 {order}）',
  'event.volume.record':
    '{volume}：纪元 {epoch}，主用 {primary:node}，同步集合 {members:nodes}（数据版本 {generation:short}）',
  'event.application.start': '启动 {group} 的应用，纪元 {epoch}',
  'event.application.stop': '停止 {group} 的应用，纪元 {epoch}：{reason:term}',
  'event.application.state': '{group} 的应用{state:term}，纪元 {epoch}',
  'event.data.active': '{volume} 可在此使用，纪元 {epoch}',
  'event.data.stopped': '{volume} 在此已放弃，全部写入已落盘，纪元 {epoch}',
  'event.data.want': '{volume} 希望同步集合为 {members:nodes}，纪元 {epoch}：{reason:term}',
  'event.data.refused': '{volume} 拒绝 {peer:node}：{reason:term}',
  'event.data.attached': '{volume} 已挂接：{disk:term}，纪元 {epoch}',
  'event.operator.command': '操作员命令：{command:term} {group} {to:node}',
  'event.operator.answer': '对{command:term}的答复：完成：{ok:term} {reason:term}',
  'event.canary.alone': '植入的错误：{group} 未经证明即被接管，纪元 {epoch}',

  // 镜像
  'event.mirror.attach':
    '副本已挂接：{disk:term}，数据版本 {generation:short}，纪元 {epoch}（当时可能有写入未完成：{hot:term}，' +
    '主机重新启动：{rebooted:term}）',
  'event.mirror.attach.failed': '副本无法使用：{reason:term}',
  'event.mirror.role': '角色：{role:term}（纪元 {epoch}）',
  'event.mirror.disk': '磁盘：{disk:term}',
  'event.mirror.disk.failing':
    '磁盘可能即将故障：{reason:term}；{spares} 个备用块已用 {moved} 个。请尽快更换',
  'event.mirror.disk.failed': '磁盘故障（{what:term}）',
  'event.mirror.link': '复制链路 {link}：{state:term}',
  'event.mirror.link.drop': '放弃复制链路 {link}：{reason:term}',
  'event.mirror.link.sync': '两个副本相同：此后写入同时到达两边（链路 {link}，纪元 {epoch}）',
  'event.mirror.link.follow': '经链路 {link} 跟随主用，纪元 {epoch}',
  'event.mirror.link.refused': '拒绝与 {peer:node} 复制：{reason:term}',
  'event.mirror.handshake': '握手结论：{verdict:term}，因为{reason:term}（纪元 {epoch}）',
  'event.mirror.branch':
    '{volume} 的两个副本各自演变：此处数据版本 {mine:short}，对端 {theirs:short}，' +
    '上次同步于 {shared:short}（{verdict:term}）',
  'event.mirror.peer.refused': '对端拒绝了一次写入（状态 {status}）',
  'event.mirror.record':
    '执行纪元 {epoch} 的记录：主用 {primary:node}，同步集合 {members:nodes}，数据版本 {generation:short}',
  'event.mirror.record.refused': '不得成为纪元 {epoch} 的主用：{reason:term}',
  'event.mirror.want': '希望同步集合为 {members:nodes}，纪元 {epoch}：{reason:term}',
  'event.mirror.active': '作为纪元 {epoch} 的主用提供服务（{hot} 个活动区域）',
  'event.mirror.fenced': '被纪元 {epoch} 隔离，尚有 {open} 个请求未完成',
  'event.mirror.demote': '放弃纪元 {epoch} 的主用角色',
  'event.mirror.stopped': '已停止，所有已确认的写入都已落盘（纪元 {epoch}）',
  'event.mirror.read.peer': '本地磁盘读不出 {offset} 处的 {length} 字节：改由另一副本提供',
  'event.mirror.read.lost':
    '{offset} 处的 {length} 字节没有可用的完好副本：只有这个请求失败，其他不受影响',
  'event.mirror.sums.mismatch': '块 {block} 不是当初写入的内容：磁盘悄悄改变了它',
  'event.mirror.sums.lost': '块 {block} 与其校验和不符，又没有已知正确的其他副本：该块已丢失',
  'event.mirror.sums.page-lost':
    '校验和第 {page} 页不可用：在其中的块被写入或比对之前，对它们一无所知',
  'event.mirror.repair.done': '块 {block} 已用另一副本重写，并回读无误',
  'event.mirror.repair.failed': '块 {block} 仍然损坏：{what:term}',
  'event.verify.scheduled': '卷 {volume} 的副本到期需要比对（{level:term}）',
  'event.verify.continue': '从中断处（块 {cursor}）继续比对卷 {volume} 的副本',
  'event.mirror.verify.start':
    '开始比对两个副本（{level:term}），自块 {from} 起（修复差异：{repair:term}）',
  'event.mirror.verify.differs': '两个副本的块 {block} 不一致',
  'event.mirror.verify.repaired': '块 {block} 已在另一副本上重写',
  'event.mirror.verify.disagrees': '两个副本的元数据不一致：{what:term}',
  'event.mirror.verify.unreadable': '块 {block} 无法比对：{who:term}',
  'event.mirror.quiesce': '请求静默点：不再接纳新请求',
  'event.mirror.quiesced': '已静默：{members:nodes} 的磁盘上是此刻的映像',
  'event.mirror.quiesce.end': '静默点结束：{reason:term}',
  'event.mirror.verify.end':
    '比对结束（{state:term}）：检查 {checked} 块，{differing} 块不一致，' +
    '{repaired} 块已修复，{unreadable} 块读不出',
  'event.mirror.block.moved': '将坏块 {block} 移至备用区：{why:term}',
  'event.mirror.block.rewritten': '客户端重新写入了损坏的块 {block}',
  'event.mirror.resync.unreadable':
    '块 {block} 读不出，而它是唯一的副本：重新同步继续进行，但要等到它为止',
  'event.mirror.resync.start': '开始重新同步到 {target:node}：{dirty:count} 个脏块，纪元 {epoch}',
  'event.mirror.resync.progress':
    '重新同步：已复制 {copied:bytes}，置零 {zeroed:bytes}，还剩 {dirty:count} 块',
  'event.mirror.resync.interrupted':
    '重新同步中断：已复制 {copied:bytes}，置零 {zeroed:bytes}，还剩 {dirty:count} 块',
  'event.mirror.resync.end': '重新同步完成：已复制 {copied:bytes}，置零 {zeroed:bytes}',
  'event.mirror.target.start':
    '成为同步目标，纪元 {epoch}；到结束为止数据版本为 {generation:short}',
  'event.mirror.target.end': '重新同步结束，数据版本为 {generation:short}',

  // 真实主机的监视进程所见
  'event.host.core-ended': '核心进程结束（退出码 {exit}，信号 {signal:term}）',
  'event.host.core-lost': '监视进程接管的核心进程不见了',
  'event.host.core-silent': '核心 {ms} 毫秒没有回应，已被终止',
  'event.host.core-exhausted': '核心结束得太频繁：推迟下一次启动',
  'event.host.monitor-started': '监视进程启动',
  'event.host.stopping': '有人要求本主机停止',
  'event.host.stopped': '本主机已正常停止',
  'event.host.refused': '核心拒绝了配置或副本：需要人处理',

  // 模拟世界
  'event.fault.cut': '故障：链路切断（{links:term}，{ways:term}，对端 {peer:peer}）',
  'event.fault.clog': '故障：链路堵塞（{links:term}，{ways:term}，对端 {peer:peer}）',
  'event.fault.loss':
    '故障：链路每百万报文丢失 {ppm} 个（{links:term}，{ways:term}，对端 {peer:peer}）',
  'event.fault.power-off': '故障：主机断电',
  'event.fault.reboot': '故障：主机复位',
  'event.fault.power-off-hosts': '故障：两台主机都断电',
  'event.fault.power-off-all': '故障：整个站点断电',
  'event.fault.kill-core': '故障：核心被终止',
  'event.fault.kill-monitor': '故障：监控服务被终止',
  'event.fault.pause-core': '故障：核心被暂停',
  'event.fault.freeze': '故障：整个客户机被冻结',
  'event.fault.clock-rate': '故障：时钟速率偏差 {ppm} ppm',
  'event.fault.read-error': '故障：磁盘上有些扇区读不出（偶发：{ppm} ppm）',
  'event.fault.wipe': '故障：主机带着空磁盘回来',
  'event.fault.quiesce': '故障：操作员设置静默点',
  'event.fault.verify': '故障：操作员要求比对副本',
  'event.fault.switch': '故障：操作员下令计划切换',
  'event.fault.lying-flush': '故障：磁盘答复落盘，却并未执行',
  'event.fault.lost-write': '故障：磁盘确认了写入，却将其丢失（{area:term}）',
  'event.fault.misdirected-write': '故障：写入落到磁盘的别处（{area:term}）',
  'event.fault.stale-read': '故障：磁盘返回块的旧内容',
  'event.fault.write-error': '故障：磁盘写入出错（{area:term}）',
  'event.fault.disk-stall': '故障：磁盘停滞，没有操作完成',
  'event.fault.bit-rot': '故障：磁盘位衰减（{area:term}）',
  'event.fault.old-disk': '故障：主机断电，其磁盘将退回到 {age} 微秒之前的内容',
  'event.fault.over': '故障结束（{kind:term}）',
  'event.fault.healed': '所有故障都已结束',
  'event.world.core-started': '核心重新运行',
  'event.world.core-died': '核心终止',
  'event.world.power-lost': '断电（当时有未完成的 I/O：{ioInFlight:term}）',
  'event.world.disk-failed': '磁盘操作失败；其缓存中的内容：{cache:term}',
  'event.world.application-starting': '应用开始启动',
  'event.world.application-running': '应用在运行',
  'event.world.application-stopping': '应用开始停止',
  'event.world.application-stopped': '应用已停止',
  'event.world.mended': '有人处理失效的副本：重启，或更换磁盘',
  'event.watchdog.reset': '看门狗使主机复位',
  'event.violation': '违反 {law}：{code:term}（{law:term}）',
  'event.detected': '已发现，在这些故障下允许：{law}：{code:term}（{law:term}）',
};
