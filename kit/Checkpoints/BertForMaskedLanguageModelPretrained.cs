using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>The masked-language model in the folders of transformers: <c>BertForMaskedLM</c>.</summary>
public static class BertForMaskedLanguageModelPretrained
{
    private static readonly PretrainedFormat<BertForMaskedLanguageModel, BertConfig> Format = BertFormat.MaskedLanguage;

    extension(BertForMaskedLanguageModel model)
    {
        /// <inheritdoc cref="GptPretrained.extension(Gpt).FromPretrained(string, bool)"/>
        /// <remarks>Files of the pre-training model are accepted: their pooler and their next-sentence head are ignored.</remarks>
        public static BertForMaskedLanguageModel FromPretrained(string folder, bool mapped = true) => Format.Load(folder, mapped);

        /// <inheritdoc cref="GptPretrained.extension(Gpt).SavePretrained(string, long)"/>
        public void SavePretrained(string folder, long maximumShardBytes = 5_000_000_000) => Format.Save(model, folder, maximumShardBytes);
    }
}
