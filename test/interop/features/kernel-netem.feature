Feature: The AI behind netem
  The kernel's own TCP, injured by the kernel's own emulation.

  Scenario: Delay and losses by netem on the way from the AI
    Given a bot that plays the script "reception" and lets the caller speak first
    And the AI is reached by kernel TCP through netem
    And packets from the AI take 40 ms
    And 10 % of the packets from the AI are lost
    And the caller is in a call with the bot
    When the caller says "Please hang up."
    Then the caller hears "Thank you for calling. Goodbye."
    And the bot hangs up within 8 s
    And the network lost at least 1 % of the packets from the AI
