Feature: Accounts, registration, messages
  Scenarios that must pass; test/loopback/side-by-side/signalling-steps.test.ts runs them, with passwords in the
  environment.

  Scenario: Texts outside of a call
    Given a bot that plays the script "reception" and lets the caller speak first
    When the caller sends the message "Are you there?" outside of a call
    Then the bot receives the message "Are you there?" outside of a call within 2 s
    When the bot sends the message "I am." outside of a call
    Then the caller receives the message "I am." outside of a call within 2 s

  Scenario: What the other side can do
    Given a bot that plays the script "reception" and lets the caller speak first
    And the caller is in a call with the bot
    When the caller asks the other side for its capabilities
    Then the bot answers OPTIONS with 200 within 2 s
    And the bot says that it allows MESSAGE within 2 s
    When the bot asks the other side for its capabilities
    Then the caller says that it allows UPDATE within 2 s

  Scenario: A bot that demands an account
    Given a bot that plays the script "reception" and lets the caller speak first
    And the bot demands the account "alice" with the password in "SIDETONE_TEST_PASSWORD"
    When the caller dials the bot
    Then the call is rejected with 401
    Given the caller has the account "alice" with the password in "SIDETONE_TEST_PASSWORD"
    And the caller is in a call with the bot

  Scenario: A wrong password ends at once
    Given the bot demands the account "alice" with the password in "SIDETONE_TEST_PASSWORD"
    And a bot that plays the script "reception" and lets the caller speak first
    And the caller has the account "alice" for the realm "sidetone" with the password in "SIDETONE_WRONG_PASSWORD"
    When the caller dials the bot
    Then the call ends at the caller with "ERR_SIP_CREDENTIALS_REFUSED" within 2 s

  Scenario: A registered bot is reached through our registrar
    Given a registrar of ours that demands the account "bot" with the password in "SIDETONE_TEST_PASSWORD"
    And a bot that plays the script "reception" and lets the caller speak first
    And the bot has the account "bot" with the password in "SIDETONE_TEST_PASSWORD"
    When the bot registers at our registrar
    Then the bot is registered within 5 s
    And the bot is registered at our registrar as "bot" within 5 s
    Given the caller is in a call with the bot
    When the caller hangs up
    And the bot unregisters
    Then the bot is not registered any more within 5 s

  Scenario: A registration with a wrong password is refused at once
    Given a registrar of ours that demands the account "caller" with the password in "SIDETONE_TEST_PASSWORD"
    And a bot that plays the script "reception" and lets the caller speak first
    And the caller has the account "caller" with the password in "SIDETONE_WRONG_PASSWORD"
    When the caller registers at our registrar
    Then the registration of the caller is refused with 401 within 2 s
    And the registration of the caller fails with "ERR_SIP_CREDENTIALS_REFUSED" within 2 s
