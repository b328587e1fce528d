Feature: A call over the kernel's TCP that lasts
  Long enough for something to happen to it from outside.

  Scenario: A call in which nothing is said
    Given a bot that plays the script "reception" and lets the caller speak first
    And the AI is reached by kernel TCP
    And packets from the AI take 20 ms
    And the caller is in a call with the bot
    Then the bot hangs up within 20 s
