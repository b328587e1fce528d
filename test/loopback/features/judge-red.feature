Feature: Judges that give no verdict
  Each scenario is named for the code that it has to end with.

  Scenario: ERR_JUDGE_TIMED_OUT
    Given a bot that plays the script "reception"
    When the caller dials the bot
    Then the bot greets within 20 s
    And the judge finds that "hangs"

  Scenario: ERR_JUDGE_KEY_REFUSED
    Given a bot that plays the script "reception"
    When the caller dials the bot
    Then the bot greets within 20 s
    And the judge finds that "refusesKey"

  Scenario: ERR_JUDGE_ANSWER_MALFORMED
    Given a bot that plays the script "reception"
    When the caller dials the bot
    Then the bot greets within 20 s
    And the judge finds that "prose"
