Feature: Transfers that are not what was asked for
  These scenarios must not pass; test/loopback/side-by-side/transfer-steps.test.ts sees to it. Each is named for
  the code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first
    And the colleague "desk" answers the telephone
    And the colleague "cellar" refuses calls with 486
    And the colleague "attic" does not answer the telephone
    And the caller is in a call with the bot

  Scenario: ERR_NOT_TRANSFERRED, no REFER
    Then the bot transfers the call to "desk" within 200 ms

  Scenario: ERR_NOT_TRANSFERRED, by the other side
    When the caller transfers the call to "desk"
    Then the bot transfers the call to "desk" within 500 ms

  Scenario: ERR_NOT_TRANSFERRED, and nobody was called
    Then the transferred call reaches "desk" within 200 ms

  Scenario: ERR_TRANSFER_TARGET_DIFFERS
    When the bot transfers the call to "cellar"
    Then the bot transfers the call to "desk" within 500 ms

  Scenario: ERR_TRANSFER_TARGET_DIFFERS, as was heard of the call that came of it
    When the bot transfers the call to "desk"
    Then the transferred call reaches "cellar" within 2 s

  Scenario: ERR_TRANSFER_OUTCOME_DIFFERS, failed
    When the bot transfers the call to "cellar"
    Then the transfer succeeds within 2 s

  Scenario: ERR_TRANSFER_OUTCOME_DIFFERS, succeeded
    When the bot transfers the call to "desk"
    Then the transfer fails with 486 within 2 s

  Scenario: ERR_TRANSFER_OUTCOME_DIFFERS, another status
    When the bot transfers the call to "cellar"
    Then the transfer fails with 603 within 2 s

  Scenario: ERR_TRANSFER_OUTCOME_DIFFERS, refused and not failed
    Given the caller refuses transfers with 603
    When the bot transfers the call to "desk"
    Then the transfer fails with 603 within 2 s

  Scenario: ERR_TRANSFER_OUTCOME_DIFFERS, failed and not refused
    When the bot transfers the call to "cellar"
    Then the transfer is refused with 486 within 2 s

  Scenario: ERR_TRANSFER_UNDECIDED
    When the bot transfers the call to "attic"
    Then the transfer succeeds within 500 ms

  Scenario: ERR_TRANSFER_PROGRESS_DIFFERS
    When the bot transfers the call to "cellar"
    Then the transferring side is told "100, 180, 486" within 2 s

  Scenario: ERR_NOT_ANSWERED
    When the bot transfers the call to "attic"
    Then the transferred call reaches "attic" within 500 ms

  Scenario: ERR_CALL_ENDED_EARLY, the new call
    When the bot transfers the call to "cellar"
    Then the transfer fails with 486 within 2 s
    And the transferred call reaches "cellar" within 500 ms

  Scenario: ERR_CALL_ENDED_EARLY, the transferred one
    When the bot transfers the call to "desk"
    Then the transfer succeeds within 2 s
    And the call goes on
