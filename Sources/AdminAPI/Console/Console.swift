import FoundationEssentials
import HTTPTypes
import Hummingbird
import Mustache

/// The pages for people: the overview at `/` and one page for each group of mismatches. They show, and change nothing:
/// no scripts, no forms.
struct Console: Sendable {
    private let overviewTemplate: MustacheTemplate
    private let groupTemplate: MustacheTemplate
    private let errorTemplate: MustacheTemplate

    /// - Throws: what parsing a template throws, which tests would have seen.
    init() throws {
        MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
        overviewTemplate = try MustacheTemplate(string: ConsoleTemplates.overview)
        groupTemplate = try MustacheTemplate(string: ConsoleTemplates.group)
        errorTemplate = try MustacheTemplate(string: ConsoleTemplates.error)
    }

    /// What can be known is shown: without the store the groups are missing, and the page says so.
    func overview(_ backend: any AdminBackend, now: Date) async -> Response {
        do throws(AdminError) {
            let reports = try await backend.reports(name: nil)
            var groups: [GroupReport] = []
            var notice: String?
            do throws(AdminError) {
                groups = try await backend.groups(extraction: nil)
            } catch {
                notice = "The mismatch groups cannot be shown: \(error.description)"
            }
            let page = OverviewPage(reports: reports, groups: groups, notice: notice, now: now)
            return html(overviewTemplate.render(page))
        } catch {
            return failure(error)
        }
    }

    func group(_ signature: String, _ backend: any AdminBackend) async -> Response {
        do throws(AdminError) {
            return html(groupTemplate.render(GroupPage(try await backend.group(signature: signature))))
        } catch {
            return failure(error)
        }
    }

    private func failure(_ error: AdminError) -> Response {
        let problem = Problem(error)
        let page = ErrorPage(title: problem.title, message: error.description)
        return html(errorTemplate.render(page), status: HTTPResponse.Status(code: problem.status))
    }

    private func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        .text(text.utf8, contentType: "text/html; charset=utf-8", status: status)
    }
}

struct ErrorPage {
    let title: String
    let message: String
}
