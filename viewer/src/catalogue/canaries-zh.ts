/** 预埋缺陷表的中文。 */
export const canariesZh: { readonly [code: string]: string } = {
  'canaries.column-bug': '预埋缺陷',
  'canaries.column-number': '编号',
  'canaries.column-law': '被打破的定律',
  'canaries.column-runs': '运行次数',
  'canaries.column-cpu': 'CPU 秒',
  'canaries.column-faults': '故障数',
  'canaries.column-test': '由何处揭示',
  'canaries.not-found': '未发现',
  'canaries.summary':
    '从种子 {seed} 起，每个至多 {runs} 次运行：{sought} 个预埋缺陷中发现了 {found} 个；' +
    '共 {cpu} CPU 秒，含缩减。',
  'canaries.median':
    '缩减后的故障序列：故障数中位数 {median}（上限 {bar}），最多 {most}。所需运行次数：中位数 {runs}。',
  'canaries.tests': '由专门的测试揭示、而非随机演练：{count} 个。',
};
