Feature: Early media, PRACK, UPDATE, session timers, redirection

  Background:
    Given a bot that plays the script "reception" and lets the caller speak first

  Scenario: Early media, acknowledged with PRACK
    Given the bot sends early media
    And the bot requires reliable provisional responses
    And the caller is in a call with the bot
    Then the caller gets early media
    When the caller updates the call
    And the bot updates the call
    And the caller hangs up

  Scenario: Early media without PRACK
    Given the caller has no reliable provisional responses
    And the bot sends early media
    And the caller is in a call with the bot
    Then the caller gets early media

  Scenario: A session timer
    Given the caller asks for a session timer of 2 s
    And the caller is in a call with the bot
    Then the session timer is refreshed by the caller within 3 s

  Scenario: No reliable provisional responses, although they are required
    Given the caller has no reliable provisional responses
    And the bot requires reliable provisional responses
    When the caller dials the bot
    Then the call is rejected with 421

  Scenario: A redirection to somebody who is busy
    Given the bot redirects calls to "sip:nobody@127.0.0.1:9"
    And the caller follows redirections
    When the caller dials the bot
    Then the call is redirected
