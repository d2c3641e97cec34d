using System.Text.Json.Nodes;
using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Folders with PyTorch's names become the kit's recurrent networks.</summary>
public sealed class RecurrentPretrainedTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("lstm-a", "model.safetensors")]
    [InlineData("lstm-a", "pytorch_model.bin")]
    [InlineData("lstm-b", "model.safetensors")]
    [InlineData("gru-a", "pytorch_model.bin")]
    [InlineData("gru-b", "model.safetensors")]
    public void Recurrent_layers_give_the_reference_outputs_and_survive_a_round_trip(string name, string weights)
    {
        using var golden = new GoldenCase(name);
        GoldenFolder.Place(folder, name, weights);
        RecurrentLayer Load(string path) =>
            name.StartsWith("lstm", StringComparison.Ordinal) ? Lstm.FromPretrained(path) : Gru.FromPretrained(path);
        using var model = Load(folder.Path);
        Assert.False(model.training);
        var state = golden.Has("in.h0")
            ? new RecurrentState(golden["in.h0"], golden.Has("in.c0") ? golden["in.c0"] : null) : null;
        var read = model.Read(golden["in.x"], golden["in.lengths"], state);
        golden.Check("out.output", read.Output);
        golden.Check("out.h_n", read.State.Hidden);
        var saved = folder.PathTo("saved");
        if (model is Lstm lstm) lstm.SavePretrained(saved);
        else ((Gru)model).SavePretrained(saved);
        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(saved, "config.json")))!.AsObject();
        foreach (var (field, value) in GoldenFolder.Config(folder))
            Assert.True(JsonNode.DeepEquals(value, written[field]), field);
        using var again = Load(saved);
        Assert.Equal(model.Shape, again.Shape);
        foreach (var (key, tensor) in again.state_dict()) Assert.True(tensor.Same(model.state_dict()[key]), key);
    }

    [Theory]
    [InlineData("architecture", "\"torch.nn.GRU\"", "expected torch.nn.LSTM")]
    [InlineData("bias", "false", "bias_ih_l0")]
    [InlineData("proj_size", "4", "proj_size is 4; expected 0")]
    [InlineData("input_size", "null", "input_size is null; expected a whole number")]
    [InlineData("hidden_size", "9", "weight_hh_l0 is [40, 10], the model has [36, 9]")]
    public void An_invalid_recurrent_configuration_is_refused(string field, string value, string expected)
    {
        GoldenFolder.Place(folder, "lstm-a", "model.safetensors");
        var config = GoldenFolder.Config(folder);
        config[field] = JsonNode.Parse(value);
        folder.File("config.json", config.ToJsonString());
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Lstm.FromPretrained(folder.Path).Dispose()).Message,
            StringComparison.Ordinal);
    }
}
