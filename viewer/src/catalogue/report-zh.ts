/** The rehearsal report in Chinese. */
export const reportZh: { readonly [code: string]: string } = {
  'report.column-fault': '故障',
  'report.column-runs': '次数',
  'report.column-outage': '最长中断',
  'report.column-at-risk': '仅存单副本的数据',
  'report.column-took-over': '接管者',
  'report.column-laws': '定律',
  'report.row-held': '成立',
  'report.row-broken': '{runs} 次运行被打破',
  'report.row-detected': '成立；{runs} 次超出承诺范围',
  'report.unflushed': '（未落盘的写入可能丢失）',
  'report.summary':
    '{runs} 次运行，模拟 {hours} 小时，{ios} 次 I/O，{crashes} 次崩溃（其中 {inFlight} 次有 I/O ' +
    '在途），{takeOvers} 次接管，{resyncs} 次重新同步。',
  'report.held': '所有定律在每次运行中都成立。',
  'report.broken': '被打破：{law}（{meaning}）。',
  'report.violation': '{law}，种子 {seed}：{schedule}。',
  'report.replay': '重放：{command}',
  'report.more-violations': '……还有 {more} 处。',
  'report.detected': '有 {runs} 次运行的故障超出了该配置所承诺的范围；已按定律表的要求被检测到。',
  'report.not-exercised':
    '未演练到：故障 {faults}；罕见分支 {marks}。没有一次运行遇到的，就等于没有测试过。',
  'report.not-exercised-due': '{runs} 次或更多次的随机演练必须覆盖全部。',
  'report.hash': '全部运行的轨迹哈希：{hash}',
};
