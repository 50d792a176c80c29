extension HTMLElement {
    /// Whether HTML has an element of this name (HTML Standard §4, with those that §16 calls obsolete), or a page may have
    /// defined one (§4.13.2: such names have a hyphen).
    /// - Parameter name: lower-case.
    static func exists(_ name: some Collection<UInt8>) -> Bool {
        name.contains(UInt8(ascii: "-")) || names.contains(Array(name))
    }

    private static let names = Set(
        """
        a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote \
        body br button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl \
        dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr \
        html i iframe image img input ins kbd keygen label legend li link main map mark marquee math menu menuitem meta \
        meter nav nobr noembed noframes noscript object ol optgroup option output p param picture plaintext pre \
        progress q rb rp rt rtc ruby s samp script search section select slot small source span strike strong style \
        sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp
        """.split(separator: " ").map { Array($0.utf8) })
}
