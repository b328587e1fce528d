Feature: The first call
  A guest rings the Harbour Hotel. A voice bot answers the telephone; everything between them is
  real SIP and RTP, and every figure is what the guest heard.

  Scenario: The bot greets the caller
    Given a bot that plays the script "reception"
    When the caller dials the bot
    Then the call is answered within 2 s
    And the bot greets within 2 s
    And the caller hears "Hello, this is the Harbour Hotel. How can I help you?"

  Scenario: The bot answers what it understands, and says so when it does not
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    When the caller says "What time is breakfast?"
    Then the bot answers within 2 s
    And the caller hears "Breakfast is served from seven until ten, in the restaurant on the ground floor."
    When the caller says "Do you sell bicycles?"
    Then the bot answers within 2 s
    And the caller hears "Sorry, I did not understand that. Could you say it again?"
