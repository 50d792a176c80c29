/// The style of all pages. Colours are variables, so that light and dark differ in one place; on narrow screens tables
/// become blocks and the track shows only the current stage's name.
enum ConsoleStyle {
    static let sheet = """
        :root { --ground: #f5f6f8; --card: #fff; --text: #1b2230; --quiet: #5b6577; --line: #dde1e8;
          --accent: #1f6feb; --good: #1a7f37; --bad: #c0262d; --mark: #ffe2a8; }
        @media (prefers-color-scheme: dark) { :root { --ground: #11151c; --card: #1a202b; --text: #e5e9f0;
          --quiet: #98a3b5; --line: #313a49; --accent: #6ea8fe; --good: #57c46f; --bad: #ff7b72; --mark: #5c4712; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 72rem; padding: 0 1rem 2rem; background: var(--ground); color: var(--text);
          font: 16px/1.5 system-ui, sans-serif; }
        header, footer { display: flex; flex-wrap: wrap; gap: .5rem; align-items: baseline; }
        header { justify-content: space-between; }
        header p, footer, .quiet, .empty { color: var(--quiet); }
        h1 { font-size: 1.4rem; margin: 1rem 0; } h2 { font-size: 1.2rem; margin: 0; }
        h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; } h4 { margin: .6rem 0; }
        p { margin: .4rem 0; } a { color: var(--accent); } h1 a { color: inherit; text-decoration: none; }
        code, pre { font: .85em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
        pre { margin: 0; padding: .6rem; white-space: pre-wrap; background: var(--ground); border-radius: .4rem; }
        mark { background: var(--mark); color: inherit; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem;
          margin-bottom: 1rem; }
        .notice { border-left: .25rem solid var(--bad); background: var(--card); padding: .6rem 1rem; }
        .track { display: flex; gap: .25rem; list-style: none; margin: 1rem 0; padding: 0; }
        .track li { flex: 1; padding-top: .4rem; border-top: .35rem solid var(--line); color: var(--quiet);
          font-size: .85rem; }
        .track .done { border-color: var(--good); }
        .track .now { border-color: var(--accent); color: var(--text); font-weight: 600; }
        .bar { height: .5rem; background: var(--line); border-radius: .25rem; overflow: hidden; }
        .bar i { display: block; height: 100%; background: var(--accent); }
        .gate { list-style: none; margin: 0; padding: 0; }
        .gate li { padding-left: 1.5rem; text-indent: -1.5rem; }
        .gate li::before { display: inline-block; width: 1.5rem; text-indent: 0; font-weight: 700; }
        .gate .no::before { content: "✗"; color: var(--bad); }
        .gate .yes::before { content: "✓"; color: var(--good); }
        .facts { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .1rem .5rem; margin: .6rem 0; }
        .facts dt { grid-column: 1; color: var(--quiet); } .facts dd { grid-column: 2; margin: 0; }
        .facts .bad { color: var(--bad); }
        .facts dt, .facts dd { overflow-wrap: anywhere; }
        .gate li { overflow-wrap: anywhere; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .5rem; margin: 0; }
        .tiles div { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .6rem; }
        .tiles dt { color: var(--quiet); font-size: .85rem; }
        .tiles dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
        .tiles .bad dd { color: var(--bad); font-weight: 600; }
        table { width: 100%; border-collapse: collapse; margin: .6rem 0; }
        td:nth-child(-n+2) code, td:first-child a { overflow-wrap: break-word; }
        th, td { text-align: left; vertical-align: top; padding: .4rem .5rem; border-bottom: 1px solid var(--line); }
        th { color: var(--quiet); font-weight: 500; font-size: .85rem; }
        .difference { display: inline-block; border: 1px solid var(--line); border-radius: .3rem; padding: 0 .35rem; }
        .state { border: 1px solid; border-radius: 1rem; padding: 0 .6rem; font-size: .85rem; }
        .state.new, .state.regressed { color: var(--bad); } .state.acknowledged { color: var(--accent); }
        .state.accepted, .state.fixed { color: var(--good); }
        .pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
        details { margin-top: .6rem; } summary { color: var(--quiet); cursor: pointer; }
        @media (max-width: 44rem) {
          .pair { grid-template-columns: 1fr; }
          .track li:not(.now) span { display: none; } .track .now { flex: 3; }
          thead { display: none; } tr { display: block; border-bottom: 1px solid var(--line); padding: .4rem 0; }
          td { display: block; border: 0; padding: .1rem 0; }
          td::before { content: attr(data-label) " "; color: var(--quiet); font-size: .85rem; }
        }
        """
}
