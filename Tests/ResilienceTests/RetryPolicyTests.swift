import Resilience
import Testing

@Suite struct RetryPolicyTests {
    private func mayRetry(
        isSafe: Bool = true, isIdempotent: Bool? = nil, hasBody: Bool = false, unsent: Bool = false,
        answered: Bool = false, reused: Bool = true,
        attempts: Int = 1
    ) -> Bool {
        RetryPolicy.mayRetry(
            isSafe: isSafe, isIdempotent: isIdempotent ?? isSafe, hasBody: hasBody, certainlyUnsent: unsent,
            anyResponseByte: answered,
            reusedConnection: reused, attempts: attempts)
    }

    @Test func aSafeRequestWithoutABodyIsRetried() {
        #expect(mayRetry())
        #expect(mayRetry(reused: false))
    }

    @Test func aBodyThatWasBegunIsNot() {
        #expect(!mayRetry(hasBody: true))
    }

    @Test func anIdempotentRequestIsRetriedOnlyWhereAKeptConnectionHadDied() {
        #expect(mayRetry(isSafe: false, isIdempotent: true))
        #expect(!mayRetry(isSafe: false, isIdempotent: true, reused: false))
        #expect(!mayRetry(isSafe: false, isIdempotent: true, hasBody: true))
        #expect(!mayRetry(isSafe: false, isIdempotent: true, answered: true))
    }

    @Test func aWriteIsRetriedOnlyWhenItNeverLeft() {
        #expect(!mayRetry(isSafe: false))
        #expect(mayRetry(isSafe: false, hasBody: true, unsent: true))
    }

    @Test func nothingIsRetriedOnceTheAnswerHasBegun() {
        #expect(!mayRetry(answered: true))
        #expect(!mayRetry(unsent: true, answered: true))
    }

    @Test func aStaleConnectionAllowsOneAttemptMoreThanAFreshOne() {
        #expect(!mayRetry(reused: false, attempts: 2))
        #expect(mayRetry(reused: true, attempts: 2))
        #expect(!mayRetry(unsent: true, reused: true, attempts: 3))
    }
}
