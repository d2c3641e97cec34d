using System.Text.Json.Nodes;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Folders with torchvision's and PyTorch's names become the kit's networks.</summary>
[Trait("Tier", "slow")]
public sealed class VisionPretrainedTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void A_ResNet_checkpoint_gives_the_reference_outputs()
    {
        using var golden = new GoldenCase("resnet50-w8-b");
        using var source = new ResNet(ResNetConfig.ResNet50 with
        {
            Blocks = [1, 2, 2, 1],
            Classes = 7,
            Groups = 4,
            WidthPerGroup = 8
        });
        golden.FillByRule(source);
        using var model = Check("resnet50-w8-b", source, () => ResNet.FromPretrained(folder.Path));
        using (no_grad()) golden.Check("out.logits", model.call(golden["in.pixel_values"]));
    }

    [Fact]
    public void A_small_ResNet_is_built_from_its_configuration_file() =>
        Check("resnet18-a", new ResNet(ResNetConfig.ResNet18 with { Classes = 10 }), () => ResNet.FromPretrained(folder.Path))
            .Dispose();

    [Fact]
    public void GoogLeNet_is_built_from_its_configuration_file() => Check("googlenet-b",
        new GoogLeNet(new() { Classes = 5, AuxiliaryHeads = false, TransformInput = true }), () =>
            GoogLeNet.FromPretrained(folder.Path)).Dispose();

    [Fact]
    public void Inception_v3_is_built_from_its_configuration_file() => Check("inception3-b",
        new InceptionV3(new() { Classes = 6, AuxiliaryHead = false, TransformInput = true }), () =>
            InceptionV3.FromPretrained(folder.Path)).Dispose();

    [Fact]
    public void A_GoogLeNet_checkpoint_gives_the_reference_outputs()
    {
        Place("googlenet-a", new GoogLeNet(new() { Classes = 10 }));
        using var model = GoogLeNet.FromPretrained(folder.Path);
        CheckAuxiliary("googlenet-a", model.ForwardWithAuxiliary, "out.aux_logits2", "out.aux_logits1");
    }

    [Fact]
    public void An_Inception_v3_checkpoint_gives_the_reference_outputs()
    {
        Place("inception3-a", new InceptionV3(new() { Classes = 10 }));
        using var model = InceptionV3.FromPretrained(folder.Path);
        CheckAuxiliary("inception3-a", model.ForwardWithAuxiliary, "out.aux_logits");
    }

    [Theory]
    [InlineData("vgg11-a")]
    [InlineData("vgg13bn-b")]
    public void A_VGG_loads_the_published_names_and_survives_a_round_trip(string name)
    {
        using var golden = new GoldenCase(name);
        GoldenFolder.Place(folder, name);
        GoldenFolder.WriteHollow(folder, golden.Settings().GetProperty("state_dict"), new()
        {
            ["classifier.3.bias"] = [1, -1, 2],     // what reaches the last layer, whatever the picture: 1, 0, 2
            ["classifier.6.weight"] = [3, 100, 5],  // the first class: 3 + 2 · 5
            ["classifier.6.bias"] = [0.5f, 0.25f],
        });
        using var model = Vgg.FromPretrained(folder.Path);
        var classes = model.Config.Classes;
        using (no_grad())
            Near.Check("logits", tensor(new[] { 13.5f, 0.25f }.Concat(Enumerable.Repeat(0f, classes - 2)).ToArray()).view(1,
                classes), model.call(randn(1, 3, 32, 32)), 1e-6);
        var saved = folder.PathTo("saved");
        model.SavePretrained(saved);
        Assert.Equal((string)GoldenFolder.Config(folder)["architecture"]!,
            (string)JsonNode.Parse(File.ReadAllText(Path.Combine(saved, "config.json")))!["architecture"]!);
        using var again = Vgg.FromPretrained(saved);
        Assert.Equal(model.Config.Stages.SelectMany(stage => stage), again.Config.Stages.SelectMany(stage => stage));
        foreach (var (key, tensor) in again.state_dict()) Assert.Equal(model.state_dict()[key].shape, tensor.shape);
        Assert.True(again.state_dict()["classifier.6.weight"].Same(model.state_dict()["classifier.6.weight"]));
    }

    [Fact]
    public void Auxiliary_heads_in_the_file_are_ignored_if_the_network_has_none()
    {
        using (var model = new GoogLeNet(new() { Classes = 10 })) model.SavePretrained(folder.Path);
        using (var whole = GoogLeNet.FromPretrained(folder.Path)) Assert.True(whole.Config.AuxiliaryHeads);
        folder.File("config.json", """{ "architecture": "googlenet(num_classes=10)", "aux_logits": false }""");
        using var read = GoogLeNet.FromPretrained(folder.Path);
        Assert.False(read.Config.AuxiliaryHeads);
        Assert.DoesNotContain(read.state_dict().Keys, name => name.StartsWith("aux", StringComparison.Ordinal));
    }

    [Fact]
    public void Checkpoints_without_num_batches_tracked_are_read()
    {
        using var model = new ResNet(ResNetConfig.ResNet18 with { Classes = 3, Blocks = [1, 1, 1, 1] });
        model.SavePretrained(folder.Path);
        Assert.StartsWith("ResNet(BasicBlock,[1,1,1,1],", (string)GoldenFolder.Config(folder)["architecture"]!,
            StringComparison.Ordinal);
        SafetensorsFile.Write(folder.PathTo("model.safetensors"),
            model.state_dict().Where(pair => !pair.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)));
        using var read = ResNet.FromPretrained(folder.Path);
        foreach (var (name, tensor) in read.state_dict()) Assert.True(tensor.Same(model.state_dict()[name]), name);
    }

    [Theory]
    [InlineData("resnet50(num_classes=10)", "does not fit the model ResNet: unknown.0 is unexpected")]
    [InlineData("resnet20", "architecture is \"resnet20\"; expected one of resnet18")]
    [InlineData("resnet18(norm_layer=None)", "expected a constructor's name, and its arguments")]
    [InlineData("resnet18(num_classes=ten)", "num_classes is \"ten\"; expected a whole number of at least 1")]
    [InlineData("ResNet(Bottle,[1,1,1,1])", "block is \"Bottle\"; expected BasicBlock or Bottleneck")]
    [InlineData("ResNet(BasicBlock)", "layers is absent")]
    [InlineData("ResNet(BasicBlock,[1,1,1])", "Blocks is [1, 1, 1]; expected four numbers")]
    [InlineData("ResNet(BasicBlock,[2147483647,2147483647,1,1])", "describes 2147483647 layers")]
    [InlineData("resnet18(replace_stride_with_dilation=[False,1,True])", "expected a list of true and false")]
    [InlineData("resnet18(groups=2)", "are for bottleneck blocks")]
    public void An_invalid_ResNet_folder_is_refused(string architecture, string expected)
    {
        SafetensorsFile.Write(folder.PathTo("model.safetensors"),
            Enumerable.Range(0, 20).Select(i => KeyValuePair.Create($"unknown.{i}", zeros(1))));
        folder.File("config.json", new JsonObject { ["architecture"] = architecture }.ToJsonString());
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => ResNet.FromPretrained(folder.Path).Dispose()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_invalid_VGG_configuration_is_refused()
    {
        SafetensorsFile.Write(folder.PathTo("model.safetensors"),
            Enumerable.Range(0, 8).Select(i => KeyValuePair.Create($"classifier.{i}.weight", zeros(1))));
        string Refused(string config)
        {
            folder.File("config.json", config);
            return Assert.Throws<InvalidDataException>(() => Vgg.FromPretrained(folder.Path).Dispose()).Message;
        }
        Assert.Contains("expected one of vgg11, vgg13", Refused("""{ "architecture": "vgg12" }"""), StringComparison.Ordinal);
        Assert.Contains("config.json has no field 'architecture'", Refused("{}"), StringComparison.Ordinal);
        Assert.Contains("does not fit the model Vgg", Refused("""{ "architecture": "vgg13_bn(num_classes=6)" }"""), StringComparison.Ordinal);
    }

    [Fact]
    public void Networks_that_torchvision_lacks_cannot_be_saved_in_its_format()
    {
        using var resNet = new ResNet(ResNetConfig.Nano);
        using var vgg = new Vgg(VggConfig.Nano);
        using var googLeNet = new GoogLeNet(GoogLeNetConfig.Nano);
        using var inception = new InceptionV3(InceptionV3Config.Nano);
        foreach (var (save, expected) in new (Action<string> Save, string Expected)[]
        {
            (path => resNet.SavePretrained(path), "Stem Small"), (path => vgg.SavePretrained(path), "PooledSize 3"),
            (path => googLeNet.SavePretrained(path), "WidthDivisor 4"),
                (path => inception.SavePretrained(path), "WidthDivisor 8"),
        })
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => save(folder.Path)).Message,
                StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    /// <summary>
    /// Places a case's configuration and the weights of its rule, under the names that a network of ours gives them.
    /// </summary>
    private void Place(string name, Module<Tensor, Tensor> source)
    {
        using var golden = new GoldenCase(name);
        using var owned = source;
        golden.FillByRule(source);
        GoldenFolder.Place(folder, name);
        StateDict.Save(source, folder.PathTo("model.safetensors"));
    }

    private static void CheckAuxiliary(string name, Func<Tensor, AuxiliaryLogits> model, params string[] auxiliary)
    {
        using var golden = new GoldenCase(name);
        using var noGrad = no_grad();
        var logits = model(golden["in.pixel_values"]);
        golden.Check("out.logits", logits.Logits);
        foreach (var (output, given) in auxiliary.Zip(logits.Auxiliary)) golden.Check(output, given);
    }

    /// <summary>
    /// Loads a network's weights by the case's configuration, and once more after saving; all say the same to the case's
    /// pictures.
    /// </summary>
    private T Check<T>(string name, T source, Func<T> load) where T : Module<Tensor, Tensor>
    {
        using var golden = new GoldenCase(name);
        GoldenFolder.Place(folder, name);
        using (source)
        using (no_grad())
        {
            StateDict.Save(source, folder.PathTo("model.safetensors"));
            source.eval();
            var expected = source.call(golden["in.pixel_values"]);
            var model = load();
            Assert.False(model.training);
            Near.Check("logits", expected, model.call(golden["in.pixel_values"]), 1e-4 * expected.abs().max().item<float>());
            var published = (string)GoldenFolder.Config(folder)["architecture"]!;
            Action<string> save = model switch
            {
                ResNet network => path => network.SavePretrained(path),
                GoogLeNet network => path => network.SavePretrained(path),
                InceptionV3 network => path => network.SavePretrained(path),
                _ => throw new InvalidOperationException($"{model.GetName()} is not one of the cases."),
            };
            save(folder.Path);
            Assert.Equal(published, (string)GoldenFolder.Config(folder)["architecture"]!);
            using var again = load();
            foreach (var (key, tensor) in source.state_dict()) Assert.True(tensor.Same(again.state_dict()[key]), key);
            return model;
        }
    }
}
