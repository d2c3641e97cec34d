using ResearchKit.Checkpoints;

namespace ResearchKit.Tests.Checkpoints;

public sealed class ConstructorCallTests
{
    private static readonly string[] Parameters = ["block", "layers", "num_classes", "aux_logits", "norm_layer"];

    [Fact]
    public void A_call_is_parsed_into_its_name_and_named_arguments()
    {
        var call = ConstructorCall.Parse("torchvision.models.ResNet( Bottleneck , [1, 2,2,1], aux_logits=False, num_classes = "
            + "7, norm_layer=None )", Parameters)!;
        Assert.Equal("ResNet", call.Name);
        Assert.Equal(
            ["aux_logits: false", "block: \"Bottleneck\"", "layers: [1, 2,2,1]", "norm_layer: null", "num_classes: 7"],
            call.Arguments.Select(argument => $"{argument.Key}: {argument.Value.GetRawText()}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("resnet18()")]
    [InlineData(" resnet18( ) ")]
    public void A_name_alone_is_a_call_without_arguments(string text)
    {
        var call = ConstructorCall.Parse(text, Parameters)!;
        Assert.Equal("resnet18", call.Name);
        Assert.Empty(call.Arguments);
    }

    [Theory]
    [InlineData("")]
    [InlineData("18resnet")]
    [InlineData("resnet18(")]
    [InlineData("resnet18(num_classes=10))")]
    [InlineData("resnet18(classes=10)")]
    [InlineData("resnet18(num_classes=10,num_classes=10)")]
    [InlineData("resnet18(A,num_classes=10,block=B)")]
    [InlineData("resnet18(num_classes=)")]
    [InlineData("resnet18(num_classes=2+3)")]
    [InlineData("resnet18(num_classes=open('file'))")]
    [InlineData("resnet18(A,[1],2,False,None,6)")]
    [InlineData("resnet18(layers=[1,2)")]
    [InlineData("resnet18(layers=[[[[[[1]]]]]])")]
    public void Any_other_text_is_not_a_call(string text) => Assert.Null(ConstructorCall.Parse(text, Parameters));
}
