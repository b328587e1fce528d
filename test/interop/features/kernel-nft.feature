Feature: The AI behind the packet filter
  The kernel's own TCP, of which nft loses packets at random.

  Scenario: Losses by nft on the way from the AI
    Given a bot that plays the script "reception" and lets the caller speak first
    And the AI is reached by kernel TCP through nft
    And 10 % of the packets from the AI are lost
    And the caller is in a call with the bot
    When the caller says "Dial four two."
    Then the caller hears "Dialling four two now."
    When 0 % of the packets from the AI are lost
    And the caller says "Please hang up."
    Then the caller hears "Thank you for calling. Goodbye."
    And the bot hangs up within 8 s
    And the network lost at least 0.5 % of the packets from the AI

  Scenario: ERR_IMPAIRMENT, a delay through nft
    Given a bot that plays the script "reception" and lets the caller speak first
    And the AI is reached by kernel TCP through nft
    And packets from the AI take 40 ms

  Scenario: ERR_AI_STALLS_UNSEEN, stalls through nft
    Given a bot that plays the script "reception" and lets the caller speak first
    And the AI is reached by kernel TCP through nft
    And the caller is in a call with the bot
    Then nothing from the AI is held up for longer than 800 ms
