"""The contract that the simulated OMS publishes: the calls we need, in MultiSpeak 3.0AC's names and shapes.

Written by hand from a short description, so that it says exactly what the server answers and nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from xml.sax.saxutils import escape

NAMESPACE = "http://www.multispeak.org/Version_3.0"

_ENUMS = {
    "action": "New Change Delete Replace Link Unlink",
    "outageStatus": "Assumed Confirmed Restored Unknown Scheduled StillOut NonPay",
    "locationOutageStatus": "Assumed Confirmed Restored Scheduled StillOut NonPay NoOutage Unknown Other",
    "callType": "Call CustomerServiceRep InboundTelephoneDevice Other manual IVR sensor",
    "priorityType": "Normal NeedsAttention Urgent",
    "resolvedLevel": "Meter Address Unresolved",
    "phaseCd": "A B C AB AC BC ABC Unknown",
}

# type -> elements "name:type"; a star repeats; "<" extends mspObject
_TYPES = {
    "extensionsItem": "extName extValue extType",
    "extensionsList": "extensionsItem:extensionsItem*",
    "outageLocation": "< servLoc meterNo areaCode phone accountNumber gridLocation",
    "message": "< recordID eventTime:s:dateTime wavPointer listenedOn:s:dateTime listenedBy",
    "messageList": "message:message*",
    "crewsDispatched": "crewID*",
    "outageReason": "description outageReportingCodeList:outageReportingCodeList",
    "outageReportingCodeList": "outageReportingCode*",
    "outageReasonCodeList": "< OutageCause:outageReason EquipmentFailure:outageReason WeatherCondition:outageReason",
    "outageEventStatus": "< outageStatus:outageStatus crewDispatched:s:boolean crewOnSite:s:boolean ETOR:s:dateTime "
    "customerFound:s:boolean",
    "outageEvent": "< area problemLocation deviceID deviceType substationCode feeder actualFault faultType "
    "outageDescription outageStatus:outageStatus priority:s:long startTime:s:dateTime outageDefined:s:dateTime "
    "firstDispatch:s:dateTime firstETA:s:dateTime firstArrival:s:dateTime ETOR:s:dateTime completed:s:dateTime "
    "message:message crewsDispatched:crewsDispatched isPlanned:s:boolean outagedPhase:phaseCd "
    "customersAffected:s:integer priorityCustomersCount:s:integer ODEventCount:s:integer customersRestored:s:integer "
    "isCustomerResponsible:s:boolean outageReasonCodeList:outageReasonCodeList",
    "ArrayOfOutageEvent": "outageEvent:outageEvent*",
    "affectedMeter": "meterNo servLoc",
    "affectedMeters": "affectedMeter:affectedMeter*",
    "customersAffectedByOutage": "< outageEventID affectedMeters:affectedMeters",
    "ArrayOfCustomersAffectedByOutage": "customersAffectedByOutage:customersAffectedByOutage*",
    "customerCall": "< custID eventTime:s:dateTime description problemCode callType:callType takenBy "
    "callPriority:priorityType location:outageLocation messageList:messageList resolvedLevel:resolvedLevel",
    "ArrayOfCustomerCall": "customerCall:customerCall*",
    "outageDetectionLog": "< phaseCd:phaseCd outageLocation:outageLocation messageList:messageList "
    "priority:priorityType resolvedLevel:resolvedLevel timeTroubleBegan:s:dateTime timeOfInitialEvent:s:dateTime "
    "timeOfLastEvent:s:dateTime eventsLogged:s:long",
    "outageDetectionLogList": "outageDetectionLog:outageDetectionLog*",
    "ArrayOfString": "string*",
    "ArrayOfErrorObject": "errorObject:errorObject*",
}

# operation -> parameters, the result's element, its type
OPERATIONS: dict[str, tuple[str, str, str]] = {
    "PingURL": ("", "PingURLResult", "ArrayOfErrorObject"),
    "GetMethods": ("", "GetMethodsResult", "ArrayOfString"),
    "GetOutageStatusByLocation": ("location:outageLocation", "GetOutageStatusByLocationResult", "locationStatus"),
    "GetOutageEventStatusByOutageLocation": (
        "location:outageLocation", "GetOutageEventStatusByOutageLocationResult", "outageEventStatus"),
    "GetAllActiveOutageEvents": ("lastReceived", "GetAllActiveOutageEventsResult", "ArrayOfOutageEvent"),
    "GetOutageEvent": ("outageEventID", "GetOutageEventResult", "outageEvent"),
    # The element's small "by" is the standard's own.
    "GetCustomersAffectedByOutage": ("outageEventID", "customersAffectedbyOutage", "customersAffectedByOutage"),
    "GetCallsReceivedOnOutage": (
        "outageEventID lastReceived", "GetCallsReceivedOnOutageResult", "outageDetectionLogList"),
    "CHEventNotification": ("chEvent:ArrayOfCustomerCall", "CHEventNotificationResult", "ArrayOfErrorObject"),
}  # fmt: skip

_HEADER = (
    "Version UserID Pwd AppName AppVersion Company CSUnits CoordinateSystem Datum SessionID PreviousSessionID "
    "ObjectsRemaining:s:integer LastSent RegistrationID AuditID MessageID TimeStamp:s:dateTime BuildString"
)


def _element(item: str) -> str:
    many = item.endswith("*")
    name, _, kind = item.rstrip("*").partition(":")
    kind = kind or "s:string"
    kind = kind if kind.startswith("s:") else f"tns:{kind}"
    return f'<s:element name="{name}" type="{kind}" minOccurs="0" maxOccurs="{"unbounded" if many else 1}"/>'


def _attribute(item: str) -> str:
    name, _, kind = item.partition(":")
    return f'<s:attribute name="{name}" type="{kind or "s:string"}"/>'


def _type(name: str, items: str) -> str:
    parts = items.split()
    if parts[0] != "<":
        return f'<s:complexType name="{name}"><s:sequence>{"".join(map(_element, parts))}</s:sequence></s:complexType>'
    body = "".join(map(_element, parts[1:]))
    return (
        f'<s:complexType name="{name}"><s:complexContent><s:extension base="tns:mspObject">'
        f"<s:sequence>{body}</s:sequence></s:extension></s:complexContent></s:complexType>"
    )


def _complex(items: str) -> str:
    return f"<s:complexType><s:sequence>{items}</s:sequence></s:complexType>"


def _schema() -> str:
    out = []
    for name, values in _ENUMS.items():
        choices = "".join(f'<s:enumeration value="{value}"/>' for value in values.split())
        out.append(
            f'<s:simpleType name="{name}"><s:restriction base="s:string">{choices}</s:restriction></s:simpleType>'
        )
    out.append(
        '<s:complexType name="mspObject" abstract="true"><s:sequence>'
        + _element("comments")
        + _element("extensionsList:extensionsList")
        + '</s:sequence><s:attribute name="objectID" type="s:string"/><s:attribute name="verb" type="tns:action"/>'
        + "".join(map(_attribute, ("errorString", "replaceID", "utility")))
        + "<s:anyAttribute/></s:complexType>"
    )
    out += [_type(name, items) for name, items in _TYPES.items()]
    error = "".join(map(_attribute, ("objectID", "errorString", "nounType", "eventTime:s:dateTime")))
    out.append(f'<s:complexType name="errorObject">{error}</s:complexType>')
    out.append(
        '<s:complexType name="locationStatus">'
        '<s:attribute name="status" type="tns:locationOutageStatus"/></s:complexType>'
    )
    header = "".join(map(_attribute, _HEADER.split()))
    out.append(f'<s:complexType name="MultiSpeakMsgHeader">{header}<s:anyAttribute/></s:complexType>')
    out.append('<s:element name="MultiSpeakMsgHeader" type="tns:MultiSpeakMsgHeader"/>')
    for name, (parameters, result, kind) in OPERATIONS.items():
        takes = "".join(map(_element, parameters.split()))
        gives = _element(f"{result}:{kind}")
        out.append(f'<s:element name="{name}">{_complex(takes)}</s:element>')
        out.append(f'<s:element name="{name}Response">{_complex(gives)}</s:element>')
    return "".join(out)


@lru_cache(maxsize=8)
def wsdl(address: str) -> str:
    """The WSDL document.

    Args:
        address: where the service takes its POSTs, without a query.
    """
    messages, port, binding = [], [], []
    head = '<soap:header message="tns:Header" part="MultiSpeakMsgHeader" use="literal"/>'
    for name in OPERATIONS:
        messages.append(
            f'<wsdl:message name="{name}SoapIn"><wsdl:part name="parameters" element="tns:{name}"/></wsdl:message>'
            f'<wsdl:message name="{name}SoapOut">'
            f'<wsdl:part name="parameters" element="tns:{name}Response"/></wsdl:message>'
        )
        port.append(
            f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}SoapIn"/>'
            f'<wsdl:output message="tns:{name}SoapOut"/></wsdl:operation>'
        )
        body = f'<soap:body use="literal"/>{head}'
        binding.append(
            f'<wsdl:operation name="{name}"><soap:operation soapAction="{NAMESPACE}/{name}" style="document"/>'
            f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        f'xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:tns="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
        f'<wsdl:types><s:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">{_schema()}</s:schema>'
        f"</wsdl:types>{''.join(messages)}"
        '<wsdl:message name="Header">'
        '<wsdl:part name="MultiSpeakMsgHeader" element="tns:MultiSpeakMsgHeader"/></wsdl:message>'
        f'<wsdl:portType name="OA_ServerSoap">{"".join(port)}</wsdl:portType>'
        '<wsdl:binding name="OA_ServerSoap" type="tns:OA_ServerSoap">'
        f'<soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>{"".join(binding)}</wsdl:binding>'
        '<wsdl:service name="OA_Server"><wsdl:port name="OA_ServerSoap" binding="tns:OA_ServerSoap">'
        f'<soap:address location="{escape(address)}"/></wsdl:port></wsdl:service></wsdl:definitions>'
    )
