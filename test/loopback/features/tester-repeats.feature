Feature: Repeated calls of a tester
  Rules that hold, over the same calls, on a line with an echo.

  Scenario: two of two calls pass
    Given a bot that plays the script "reception" and lets the caller speak first
    And the tester "test/loopback/personas/hasty.yaml"
    And the caller's line echoes at -20 dB after 40 ms
    And a call passes when:
      """
      - goalReached: false
      - calls: send_dtmf
        with: { digits: "42" }
      """
    When the tester calls the bot 2 times
    Then at least 2 of 2 calls pass
    And at least 1 of 2 calls pass
