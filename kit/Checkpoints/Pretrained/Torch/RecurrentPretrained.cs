using ResearchKit.Layers;

namespace ResearchKit.Checkpoints;

/// <summary>Loads and saves an LSTM with the tensor names and arguments of <c>torch.nn.LSTM</c>.</summary>
public static class LstmPretrained
{
    private static readonly PretrainedFormat<Lstm, RecurrentShape> Format = RecurrentFormat.Of("LSTM", shape => new Lstm(shape));

    extension(Lstm model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Models.Gpt).FromPretrained(string, bool, string, System.Nullable{int},
        /// bool)"/>
        /// <remarks>
        /// The field <c>architecture</c> of the configuration is <c>torch.nn.LSTM</c>. Constructor arguments may also be fields
        /// of the configuration.
        /// </remarks>
        public static Lstm FromPretrained(string folder, bool mapped = true, string? key = null) =>
            Format.Load(folder, new LoadOptions(mapped, key));

        /// <inheritdoc cref="GptPretrained.extension(Models.Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }
}

/// <summary>Loads and saves a GRU with the tensor names and arguments of <c>torch.nn.GRU</c>.</summary>
public static class GruPretrained
{
    private static readonly PretrainedFormat<Gru, RecurrentShape> Format = RecurrentFormat.Of("GRU", shape => new Gru(shape));

    extension(Gru model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Models.Gpt).FromPretrained(string, bool, string, System.Nullable{int},
        /// bool)"/>
        /// <remarks>
        /// The field <c>architecture</c> of the configuration is <c>torch.nn.GRU</c>. Constructor arguments may also be fields of
        /// the configuration.
        /// </remarks>
        public static Gru FromPretrained(string folder, bool mapped = true, string? key = null) =>
            Format.Load(folder, new LoadOptions(mapped, key));

        /// <inheritdoc cref="GptPretrained.extension(Models.Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) =>
            Format.Save(model, folder, maximumShardBytes);
    }
}
