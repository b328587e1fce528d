Feature: Trouble with the AI, by either protocol

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: The provider goes down in mid-call
    Given the bot's AI goes down in turn 2
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot answers within 3 s
    When the caller says "Do you sell bicycles?"
    Then the bot hangs up within 20 s

  Scenario: The model is slow
    Given the bot's AI answers 2500 ms late
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot answers within 5 s
    And the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."

  Scenario: The model falls silent in mid-speech, and answers the next turn
    Given the bot's AI stalls 1 s into its answer to turn 1
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot answers within 3 s
    When the caller says "Dial four two."
    Then the bot calls the tool "send_dtmf" with:
      | digits | 42 |
    And the caller receives the digits "42" within 6 s

  Scenario: The session expires in mid-call, and the bot goes on in another one
    Given the bot opens a lost connection to its AI again up to 3 times
    And the next session of the bot's AI expires after 5 s
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot answers within 3 s
    And the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."
    And the bot's session with its AI is resumed
    When the caller says "Dial four two."
    Then the caller receives the digits "42" within 6 s

  Scenario: The token has expired
    Given the token for the bot's AI has expired
    When the caller dials the bot
    Then the call is rejected with 503
    And the call has the fault "ERR_AI_UNAUTHORIZED"

  Scenario: The provider has no quota left
    Given the bot's AI refuses connections with 429
    When the caller dials the bot
    Then the call is rejected with 503
