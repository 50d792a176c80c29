"""Writes the same fixtures into one moto server, directly, and prints the identifiers that requests need as JSON.

usage: fixtures.py URL SEED      (run by the server's own Python: boto3 comes with moto)

Names are given by us. What the server makes up (UUIDs, dates, keys) comes from its generator, seeded with SEED: of two
servers with different seeds these values differ for good, while each agrees with itself. Only where a request needs an
identifier in its path, or a rule about it would hide what is looked for, are both seeded alike for a moment.
"""
import io
import json
import sys
import urllib.request
import zipfile

import boto3
from botocore.config import Config

url, seed = sys.argv[1], int(sys.argv[2])
config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")


def client(service):
    return boto3.client(service, region_name="us-east-1", endpoint_url=url, config=config,
                        aws_access_key_id="key", aws_secret_access_key="secret")


def seeded(number):
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/seed?a={number}", method="POST")).read()


identifiers = {}
seeded(seed)

s3 = client("s3")
for bucket in ("alpha-bucket", "beta-bucket", "gamma-bucket"):
    s3.create_bucket(Bucket=bucket)
for key in ("a.txt", "b.txt", "c.txt"):
    s3.put_object(Bucket="alpha-bucket", Key=key, Body=f"content of {key}\n".encode(), ContentType="text/plain")
s3.put_bucket_cors(Bucket="alpha-bucket", CORSConfiguration={"CORSRules": [
    {"ID": "first-rule", "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["https://example.com"]}]})

seeded(6)  # alike, so that what a release changed in these identifiers needs no rule that would hide it
ec2 = client("ec2")
ec2.create_security_group(GroupName="orders", Description="of the orders")
seeded(seed + 1)

autoscaling = client("autoscaling")
autoscaling.create_launch_configuration(LaunchConfigurationName="launch", ImageId="ami-12345678", InstanceType="t2.micro")
autoscaling.create_auto_scaling_group(AutoScalingGroupName="group", LaunchConfigurationName="launch", MinSize=0, MaxSize=0,
                                      DesiredCapacity=0, AvailabilityZones=["us-east-1a"])
autoscaling.suspend_processes(AutoScalingGroupName="group")  # all of them: a list made of a set

kinesis = client("kinesis")
kinesis.create_stream(StreamName="stream", ShardCount=1)
kinesis.enable_enhanced_monitoring(StreamName="stream", ShardLevelMetrics=[
    "IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords", "IteratorAgeMilliseconds"])  # likewise

awslambda, iam = client("lambda"), client("iam")
role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps({
    "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                            "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr(zipfile.ZipInfo("handler.py", (2026, 1, 1, 0, 0, 0)), "def handle(event, context): return event\n")
for name in ("alpha", "beta"):
    awslambda.create_function(FunctionName=name, Runtime="python3.11", Role=role, Handler="handler.handle",
                              Code={"ZipFile": packed.getvalue()})
for number in (1, 2, 3):
    awslambda.publish_layer_version(LayerName="layer", Description=f"release {number}", CompatibleRuntimes=["python3.11"],
                                    Content={"ZipFile": packed.getvalue()})

apigateway = client("apigateway")
apigateway.create_rest_api(name="alpha", description="first")
for name in ("alpha-key", "beta-key"):
    apigateway.create_api_key(name=name, enabled=True)

iot = client("iot")
iot.create_thing_group(thingGroupName="group")
for name in ("alpha", "beta", "gamma"):
    iot.create_thing(thingName=name, attributePayload={"attributes": {"colour": name}})

cloudfront = client("cloudfront")
cloudfront.create_distribution(DistributionConfig={
    "CallerReference": "ours", "Comment": "first", "Enabled": True, "DefaultRootObject": "index.html",
    "Origins": {"Quantity": 1, "Items": [{"Id": "origin", "DomainName": "example.s3.amazonaws.com",
                                          "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
    "DefaultCacheBehavior": {"TargetOriginId": "origin", "ViewerProtocolPolicy": "allow-all", "MinTTL": 10,
                             "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}})

eks = client("eks")
eks.create_cluster(name="cluster", roleArn=role, resourcesVpcConfig={})

seeded(7)  # alike: the next identifiers stand in the paths of requests
route53 = client("route53")
identifiers["zone"] = route53.create_hosted_zone(Name="example.com.", CallerReference="ours")["HostedZone"]["Id"].split("/")[-1]
seeded(8)
identifiers["check"] = route53.create_health_check(CallerReference="ours", HealthCheckConfig={
    "IPAddress": "10.0.0.1", "Port": 80, "Type": "HTTP", "ResourcePath": "/"})["HealthCheck"]["Id"]
seeded(seed + 2)
route53.create_hosted_zone(Name="example.org.", CallerReference="theirs")
route53.change_resource_record_sets(HostedZoneId=identifiers["zone"], ChangeBatch={"Changes": [
    {"Action": "CREATE", "ResourceRecordSet": {"Name": "www.example.com.", "Type": "A", "TTL": 60,
                                               "ResourceRecords": [{"Value": "10.0.0.1"}]}},
    {"Action": "CREATE", "ResourceRecordSet": {"Name": "alias.example.com.", "Type": "A", "AliasTarget": {
        "HostedZoneId": identifiers["zone"], "DNSName": "www.example.com.", "EvaluateTargetHealth": False}}}]})

print(json.dumps(identifiers))
