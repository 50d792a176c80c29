package import Comparison

extension ComparisonRules {
    /// One rules' file by itself, without the routes that it belongs to.
    ///
    /// - Throws: everything that is wrong in it.
    package static func parse(_ file: ConfigurationFile) throws(ConfigurationErrors) -> ComparisonRules {
        let diagnostics = Diagnostics()
        let draft = RulesFileReader.read(file, diagnostics)
        guard diagnostics.errors.isEmpty else { throw ConfigurationErrors(errors: diagnostics.errors) }
        return draft.rules
    }
}
