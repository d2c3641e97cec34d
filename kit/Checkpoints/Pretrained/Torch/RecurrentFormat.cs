using System.Text.Json.Nodes;
using ResearchKit.Layers;

namespace ResearchKit.Checkpoints;

/// <summary>Folder formats of <c>torch.nn.LSTM</c> and <c>torch.nn.GRU</c>.</summary>
internal static class RecurrentFormat
{
    /// <summary>Returns the format of a layer.</summary>
    /// <param name="name">Class name in PyTorch, without its module.</param>
    /// <param name="make">Creates the layer.</param>
    public static PretrainedFormat<T, RecurrentShape> Of<T>(string name, Func<RecurrentShape, T> make)
        where T : RecurrentLayer => new()
        {
            Names = _ => new NameRules(),
            Read = file => Read(file, name),
            Write = shape => Write(shape, name),
            Make = (shape, _) => make(shape),
            Layers = shape => shape.Layers,
            ConfigOf = model => model.Shape,
        };

    private static RecurrentShape Read(ConfigFile file, string name)
    {
        var (called, arguments) = file.Call("architecture",
            "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size");
        if (called != name) throw file.Bad("architecture", $"torch.nn.{name}");
        if (arguments.Number("proj_size", 0) != 0)
            throw arguments.Bad("proj_size", "0, the only value that the kit's model supports");
        return new RecurrentShape
        {
            InputWidth = arguments.SizeOrNull("input_size") ?? throw arguments.Bad("input_size", "a whole number of at least 1"),
            HiddenWidth = arguments.SizeOrNull("hidden_size")
                ?? throw arguments.Bad("hidden_size", "a whole number of at least 1"),
            Layers = arguments.Size("num_layers", 1),
            Bidirectional = arguments.Flag("bidirectional", false),
            HasBias = arguments.Flag("bias", true),
            Dropout = arguments.Number("dropout", 0),
            TimeMajor = !arguments.Flag("batch_first", false),
        };
    }

    private static JsonObject Write(RecurrentShape shape, string name) => new()
    {
        ["architecture"] = $"torch.nn.{name}",
        ["input_size"] = shape.InputWidth,
        ["hidden_size"] = shape.HiddenWidth,
        ["num_layers"] = shape.Layers,
        ["bias"] = shape.HasBias,
        ["bidirectional"] = shape.Bidirectional,
        ["batch_first"] = !shape.TimeMajor,
        ["dropout"] = shape.Dropout,
    };
}
