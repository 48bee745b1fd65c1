"""The messages are those of the protocol, as another program has them that was generated from its own file."""

from __future__ import annotations

from typing import Any

from tritonclient.grpc import service_pb2

from serving.endpoints.inference.over_grpc.messages import FIELDS, MESSAGES, SERVICE


def described(message: Any) -> dict[str, tuple[Any, ...]]:
    """Field -> number, type, whether it is repeated, the message that it holds, the choice that it is of."""
    return {
        each.name: (
            each.number,
            each.type,
            each.is_repeated,
            each.message_type and each.message_type.full_name,
            each.containing_oneof and each.containing_oneof.name,
        )
        for each in message.fields
    }


def test_names_numbers_and_types_are_those_that_tritons_client_was_generated_from() -> None:
    for name, ours in MESSAGES.items():
        theirs: Any = service_pb2
        for part in name.split("."):
            theirs = getattr(theirs, part)
        assert ours.DESCRIPTOR.full_name == theirs.DESCRIPTOR.full_name
        assert described(ours.DESCRIPTOR) == described(theirs.DESCRIPTOR)
        entries = theirs.DESCRIPTOR.nested_types_by_name
        for entry in (each for each in ours.DESCRIPTOR.nested_types if each.GetOptions().map_entry):
            assert described(entry) == described(entries[entry.name])
    assert service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name == SERVICE
    assert MESSAGES.keys() == FIELDS.keys()


def test_a_message_of_that_client_is_read_here_field_by_field() -> None:
    sent = service_pb2.ModelInferRequest(model_name="m", model_version="2", id="x", raw_input_contents=[b"\1\2"])
    sent.parameters["as_of"].int64_param = -5
    sent.inputs.add(name="celsius", datatype="FP64", shape=[1, 1]).contents.fp64_contents.append(71.5)
    found = MESSAGES["ModelInferRequest"].FromString(sent.SerializeToString())
    assert (found.model_name, found.model_version, found.id) == ("m", "2", "x")
    assert found.parameters["as_of"].WhichOneof("parameter_choice") == "int64_param"
    assert list(found.inputs[0].contents.fp64_contents) == [71.5]
    assert found.SerializeToString(deterministic=True) == sent.SerializeToString(deterministic=True)
