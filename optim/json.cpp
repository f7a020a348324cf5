#include <scry/core/error.hpp>
#include <scry/optim/json.hpp>
#include <nlohmann/json.hpp>

namespace scry::optim {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const CheckpointHeader::Rule& rule) {
  Json groups = Json::array();
  for (const auto& group : rule.options) {
    Json options = Json::object();
    for (const auto& option : group) {
      options[option.name]["given"] = option.given;
      options[option.name]["now"] = option.now;
    }
    groups.push_back(std::move(options));
  }
  Json out;
  out["name"] = rule.name;
  out["options"] = std::move(groups);
  out["slots"] = rule.slots;
  return out;
}

Json to_json(const CheckpointHeader::Row& row) {
  Json out;
  out["name"] = row.name;
  out["aliases"] = row.aliases;
  out["role"] = row.buffer ? "buffer" : "parameter";
  out["trained"] = row.trained;
  return out;
}

CheckpointHeader::Rule read_rule(const Json& json) {
  CheckpointHeader::Rule rule{json.at("name"), {}, json.at("slots")};
  for (const Json& group : json.at("options")) {
    auto& options = rule.options.emplace_back();
    for (const auto& item : group.items()) options.push_back({item.key(), item.value().at("given"), item.value().at("now")});
  }
  return rule;
}

CheckpointHeader::Row read_row(const Json& json) { return {json.at("name"), json.at("aliases"), json.at("role") == "buffer", json.at("trained")}; }

}  // namespace

std::string to_json(const CheckpointHeader& header) {
  Json out;
  out["format"] = CheckpointHeader::format;
  out["version"] = CheckpointHeader::version;
  out["optimizer"] = header.optimizer;
  out["steps"] = header.steps;
  out["groups"] = header.groups;
  Json& rules = out["rules"] = Json::array();
  for (const auto& rule : header.rules) rules.push_back(to_json(rule));
  out["averaged"] = header.averaged;
  Json& rows = out["rows"] = Json::array();
  for (const auto& row : header.rows) rows.push_back(to_json(row));
  out["parts"] = header.parts;
  out["generator"]["seed"] = header.seed;
  out["generator"]["counter"] = header.counter;
  return out.dump();
}

std::string to_json(int64_t epoch, const Metrics& metrics) {
  Json out;
  out["epoch"] = epoch;
  for (const auto& [name, value] : metrics) out[name] = value;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const std::string& optimizer, const std::vector<TracedElement>& elements, const std::vector<TracedStep>& steps) {
  Json out;
  out["optimizer"] = optimizer;
  Json& names = out["elements"] = Json::array();
  for (const TracedElement& each : elements) {
    Json& element = names.emplace_back();
    element["parameter"] = each.parameter;
    element["element"] = each.element;
  }
  Json& list = out["steps"] = Json::array();
  for (const TracedStep& each : steps) {
    Json& step = list.emplace_back();
    step["step"] = each.step;
    step["element"] = each.element;
    step["before"] = each.before;
    step["gradient"] = each.gradient ? Json(*each.gradient) : Json();
    step["after"] = each.after;
    for (const auto& [name, value] : each.slots) step["slots"][name] = value;
    Json& terms = step["terms"] = Json::array();
    for (const TracedTerm& line : each.terms) {
      Json& term = terms.emplace_back();
      term["name"] = line.name;
      term["text"] = line.text;
      term["value"] = line.value;
    }
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

CheckpointHeader parse_checkpoint_header(const std::string& text, std::string_view source) try {
  const Json json = Json::parse(text);
  require(json.at("format") == CheckpointHeader::format, source, ": this is no checkpoint of scry");
  require(json.at("version") == CheckpointHeader::version, source, ": its version is ", json.at("version").dump(), "; this program reads version ",
          CheckpointHeader::version);
  CheckpointHeader header;
  header.optimizer = json.at("optimizer");
  header.steps = json.at("steps");
  header.groups = json.at("groups");
  for (const Json& rule : json.at("rules")) {
    header.rules.push_back(read_rule(rule));
    require(header.rules.back().options.size() == header.groups.size(), source, ": its header is damaged: the options of ", header.rules.back().name,
            " are those of ", header.rules.back().options.size(), " groups, and there are ", header.groups.size());
  }
  header.averaged = json.at("averaged");
  for (const Json& row : json.at("rows")) header.rows.push_back(read_row(row));
  header.parts = json.at("parts");
  header.seed = json.at("generator").at("seed");
  header.counter = json.at("generator").at("counter");
  return header;
} catch (const nlohmann::json::exception& error) {
  fail(source, ": its header is damaged: ", error.what());
}

}  // namespace scry::optim
