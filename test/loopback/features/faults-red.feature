Feature: Expectations of faults that are not met
  These scenarios must not pass; test/loopback/side-by-side/fault-steps.test.ts sees to it. Each is named for the
  code that it must end with.

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: ERR_FAULT_COUNT
    Given the caller sends no ACK
    And the caller is in a call with the bot
    Then the fault "no ACK" happens at least 50 times within 800 ms

  Scenario: ERR_NOT_REPEATED
    Given the caller is in a call with the bot
    Then the bot repeats its 200 at least 1 time within 900 ms

  Scenario: ERR_END_DIFFERS, another reason
    Given the caller is in a call with the bot
    When the caller hangs up
    Then the call ends at the bot with "noAnswer" within 1 s

  Scenario: ERR_END_DIFFERS, no end
    Given the caller is in a call with the bot
    Then the call ends at the bot with "bye" within 300 ms

  Scenario: ERR_NOT_ANSWERED, which was done on purpose
    Given the bot sends its answer 2 s late
    When the caller dials the bot
    Then the call is answered within 500 ms
