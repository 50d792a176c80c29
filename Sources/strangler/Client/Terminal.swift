import Foundation
import Synchronization

/// Where a command writes, and whether in colour.
struct Terminal: Sendable {
    /// What output is laid out for; narrower windows wrap it themselves.
    static let width = 80

    let isColoured: Bool
    /// Of the window, for what can use more than ``width``, or has to do with less.
    let columns: Int
    /// Lines of text are no longer than ``width``, however wide the window is.
    var textWidth: Int { min(columns, Self.width) }
    /// The window as it is now; nil if output goes to no screen.
    let window: (@Sendable () -> Window)?
    /// Progress is shown on standard error only if somebody looks at it.
    let showsProgress: Bool
    private let output: @Sendable (String) -> Void
    private let complaints: @Sendable (String) -> Void
    /// One line that somebody types; nil if nobody is there to be asked.
    private let answers: (@Sendable () -> String?)?

    struct Window: Sendable, Equatable {
        var columns: Int
        var rows: Int
    }

    init(
        isColoured: Bool, columns: Int = Terminal.width, window: (@Sendable () -> Window)? = nil,
        showsProgress: Bool = false,
        output: @escaping @Sendable (String) -> Void, complaints: @escaping @Sendable (String) -> Void,
        answers: (@Sendable () -> String?)? = nil
    ) {
        self.isColoured = isColoured
        self.columns = columns
        self.window = window
        self.showsProgress = showsProgress
        self.answers = answers
        self.output = output
        self.complaints = complaints
    }

    /// Standard output and standard error; coloured only if somebody looks at it and did not ask for none (NO_COLOR).
    static let standard = Terminal(
        isColoured: isatty(STDOUT_FILENO) == 1
            && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
            && ProcessInfo.processInfo.environment["TERM"] != "dumb",
        columns: windowColumns, window: screen,
        showsProgress: isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb",
        output: { try? FileHandle.standardOutput.write(contentsOf: Data($0.utf8)) },
        complaints: { try? FileHandle.standardError.write(contentsOf: Data($0.utf8)) },
        answers: typedAnswers)

    private static var typedAnswers: (@Sendable () -> String?)? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        return { readLine() }
    }

    /// COLUMNS, or else what the terminal says, or else the usual width; within what text can be laid out for.
    private static var windowColumns: Int {
        if let told = ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init), told > 0 {
            return min(max(told, 20), 240)
        }
        guard let size = windowSize, size.ws_col > 0 else { return width }
        return min(max(Int(size.ws_col), 20), 240)
    }

    private static var windowSize: winsize? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
        return size
    }

    /// A terminal that can be drawn over; nobody would want to see that in a file.
    private static var screen: (@Sendable () -> Window)? {
        guard isatty(STDOUT_FILENO) == 1, ProcessInfo.processInfo.environment["TERM"] != "dumb" else { return nil }
        return {
            let rows = windowSize.map { Int($0.ws_row) } ?? 0
            return Window(columns: windowColumns, rows: rows > 0 ? min(max(rows, 5), 500) : 24)
        }
    }

    /// As it stands: for what draws over what was there.
    func draw(_ text: String) { output(text) }

    /// A terminal like this one, of another width, whose lines are kept.
    func page(columns: Int? = nil) -> (terminal: Terminal, lines: @Sendable () -> [String]) {
        let kept = PageText()
        return (
            Terminal(
                isColoured: isColoured, columns: columns ?? self.columns, output: { kept.add($0) },
                complaints: complaints),
            { kept.lines }
        )
    }

    /// One line, whatever line breaks came along in it: recorded text may not forge lines of ours.
    func write(_ line: String) { output(TextLayout.oneLine(line) + "\n") }

    /// One line, on standard error.
    func complain(_ line: String) { complaints(TextLayout.oneLine(line) + "\n") }

    /// Somebody can be asked.
    var isAsking: Bool { answers != nil }

    /// Asks on standard error; anything but `y` or `yes` is no.
    func asks(_ question: String) -> Bool {
        guard let answers else { return false }
        complaints(TextLayout.oneLine(question))
        return ["y", "yes"].contains(answers()?.trimmingCharacters(in: .whitespaces).lowercased() ?? "")
    }

    /// A bar that the next one overwrites.
    func progress(_ done: Int, of total: Int, _ what: String) {
        guard showsProgress, total > 0 else { return }
        let filled = 30 * done / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        complaints("\r\(bar) \(done)/\(total) \(what)")
    }

    func endProgress() {
        if showsProgress { complaints("\r\u{1B}[K") }
    }

    enum Paint: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    func paint(_ text: String, _ paint: Paint) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// A label in a column of its own, and a text that wraps beside it.
    func field(_ label: String, _ text: String, labelWidth: Int = 10, paint colour: Paint? = nil) {
        // Never against the text, however long the label is.
        let labelWidth = max(labelWidth, label.isEmpty ? 0 : TextLayout.columns(of: label) + 1)
        let lines = TextLayout.wrapped(text, width: textWidth - labelWidth - 2)
        for (number, line) in lines.enumerated() {
            let name = TextLayout.padded(number == 0 ? label : "", to: labelWidth)
            write("  " + paint(name, .dim) + (colour.map { paint(line, $0) } ?? line))
        }
    }

    /// Text that wraps, each line behind so many blanks.
    func text(_ text: String, indent: Int = 0, paint colour: Paint? = nil) {
        for line in TextLayout.wrapped(text, width: textWidth - indent) {
            write(String(repeating: " ", count: indent) + (colour.map { paint(line, $0) } ?? line))
        }
    }
}

/// What was written on a page.
private final class PageText: Sendable {
    private let text = Mutex("")

    var lines: [String] {
        text.withLock { $0.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }
    }

    func add(_ more: String) { text.withLock { $0 += more } }
}

/// Text in columns of a terminal.
enum TextLayout {
    static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
        let gap = String(repeating: " ", count: max(0, width - columns(of: text)))
        return right ? gap + text : text + gap
    }

    /// At most `width` characters on one line; what is cut ends in `…`.
    static func cut(_ text: String, to width: Int) -> String {
        let line = oneLine(text)
        return columns(of: line) <= width ? line : beginning(of: line, columns: max(0, width - 1)) + "…"
    }

    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Broken at blanks; words longer than a line stay whole, since a cut path or URL is of no use.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = lines.last, columns(of: last) + 1 + columns(of: word) <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.isEmpty ? [""] : lines
    }
}

/// Makes JSON safe to show on a terminal. Recorded requests and answers hold whatever a client or a service sent; an
/// escape sequence among it could rewrite the screen. Done once, on the text before it is decoded, so that no field
/// can be forgotten.
enum TerminalSafety {
    /// The same JSON, with every control, formatting or line-separating character in it, other than tab and line
    /// breaks, replaced by its visible escape.
    static func sanitised(_ json: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = json.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\\", let kind = rest.popFirst() {
                // A second backslash turns an escape into its own spelling.
                result.append(contentsOf: (isHarmful(kind, rest) ? "\\\\" : "\\").unicodeScalars)
                result.append(kind)
            } else if isInvisible(scalar) {
                result.append(contentsOf: "\\\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static func isHarmful(_ kind: Unicode.Scalar, _ rest: Substring.UnicodeScalarView) -> Bool {
        switch kind {
        case "b", "f": return true
        case "u":
            guard let value = UInt32(String(rest.prefix(4)), radix: 16) else { return false }
            // Halves of a pair are looked at by nobody: two of them may be any character.
            guard let scalar = Unicode.Scalar(value) else { return true }
            return isInvisible(scalar)
        default: return false
        }
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", "\r", "\t": false
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: true
            default: false
            }
        }
    }
}
