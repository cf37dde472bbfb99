"""A simulated utility, Juniper Bay Energy: OMS, GIS, CIS and Twilio behind their real protocols, and a storm switch.

Never part of production. It has no secrets of anybody and invents every person in it.

What the OMS says where MultiSpeak 3.0AC leaves room
----------------------------------------------------
An ``outageEvent`` (and an ``outageEventStatus``, whose ``objectID`` attribute is the outage's id) carries:

===========================  =========================================================================================
where                        what
===========================  =========================================================================================
extensionsList               ``extensionsItem`` of extName and extValue:
  etrClass                   NONE, ASSESSING, STATISTICAL, AREA, CREW or EXPIRED: where ETOR comes from. ETOR is absent
                             for NONE and ASSESSING, and in the past for EXPIRED. A storm also publishes a CREW or
                             STATISTICAL ETOR that is in the past already: the class is a label, the time decides.
  etrWithdrawn               ``true`` when an ETOR was given before and has been taken back
  showEtr                    ``false``: the ETOR is for the control room; customers must not be told
  crewStatus                 NONE, ASSIGNED, EN_ROUTE, ON_SITE, SUSPENDED; it goes back as well as forward
  updatedAt                  xs:dateTime of the last change
  sequence                   a number that grows with every change in the OMS, also in customersAffectedByOutage
comments                     the sentence that goes with etrClass, as utilities publish it
outageDescription            the cause in words for customers ("a tree on the lines"); absent while unknown
outageReasonCodeList         OutageCause/description: the same words; its outageReportingCode a category
startTime, ETOR              for planned work (isPlanned, outageStatus Scheduled): its start and its end
customersAffected            without power now; customersRestored counts those who are back
deviceID, deviceType,        the network's own names. They must not reach a customer, a log or a model
feeder, substationCode,
problemLocation, area,
crewsDispatched
verb, replaceID              in pushes: New, Change, Delete (the id left the list; not a restoration); a part of a
                             split outage is New with replaceID = the old id
===========================  =========================================================================================

Restored outages are in OutageEventChangedNotification (outageStatus Restored, ``completed``) and under GetOutageEvent
for 24 hours, not in GetAllActiveOutageEvents. A location that came back in the last 24 hours answers Restored.
In ``outageEventStatus`` no outage is: customerFound true and no outageStatus; an unknown location: customerFound false
and outageStatus Unknown. GetAllActiveOutageEvents comes in blocks of 500: while ObjectsRemaining in the header of the
answer is not 0, ask again with lastReceived = LastSent.

A wrong UserID or Pwd, an unknown outage id and the like come back with status 200: as ArrayOfErrorObject where the
result is one, else as the ``errorString`` attribute of the result, else as a SOAP fault.

``outageLocation`` is resolved by servLoc (service point id), meterNo, accountNumber, or areaCode + phone, in that
order; a phone with several premises is not found. In a ``customerCall``, ``objectID`` is the idempotency key,
``problemCode`` is the kind of trouble in any case (codes that are not known are kept too), and an address in words may
stand in the location's ``comments`` or ``gridLocation``; it is looked up when nothing better is given.
"""
